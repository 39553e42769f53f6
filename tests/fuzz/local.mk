# Fuzzers of the parsers.
noinst_HEADERS += %D%/fuzz.h %D%/mutation.h
check_PROGRAMS += %D%/session
TESTS += %D%/session
%C%_session_SOURCES = %D%/session.c %D%/session-driver.c %D%/mutation.c \
	tests/unit/maker-resources.c tests/unit/session-maker.c
%C%_session_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_session_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS) $(JSON_CFLAGS)
%C%_session_LDADD = cli/libcli.la

check_PROGRAMS += %D%/unwind-cfi
TESTS += %D%/unwind-cfi
%C%_unwind_cfi_SOURCES = %D%/unwind-cfi.c shim/unwind-cfi.c
%C%_unwind_cfi_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_unwind_cfi_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)

check_PROGRAMS += %D%/plugin-check
TESTS += %D%/plugin-check
%C%_plugin_check_SOURCES = %D%/plugin-check.c %D%/plugin-driver.c %D%/mutation.c
%C%_plugin_check_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_plugin_check_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS) $(JSON_CFLAGS) $(ELF_CFLAGS)
%C%_plugin_check_LDADD = cli/libcli.la

# What is damaged; -rpath makes libtool build it shared.
check_LTLIBRARIES += %D%/plugin.la
%C%_plugin_la_SOURCES = %D%/plugin.c
%C%_plugin_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_plugin_la_CFLAGS = $(AM_CFLAGS)
%C%_plugin_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere -Wl,--build-id=sha1
