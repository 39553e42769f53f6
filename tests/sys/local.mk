# TAP scripts that run real programs, with their hosts and plugins.
cli_sys_tests = \
	%D%/cli-errors.t \
	%D%/cli-leaks.t \
	%D%/cli-run.t
TESTS += $(cli_sys_tests)
EXTRA_DIST += $(cli_sys_tests) %D%/lib.sh

check_PROGRAMS += %D%/make-session
%C%_make_session_SOURCES = %D%/make-session.c tests/unit/session-maker.c
%C%_make_session_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_make_session_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)
