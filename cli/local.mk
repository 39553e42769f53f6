# The command line.
bin_PROGRAMS += %D%/relib
pkglibexec_PROGRAMS += %D%/relib-host %D%/relib-names

# All but main(), for the unit tests and the fuzzers as well.
noinst_LTLIBRARIES += %D%/libcli.la
%C%_libcli_la_SOURCES = \
	%D%/balance.c \
	%D%/balance.h \
	%D%/cause-kinds.c \
	%D%/cause-kinds.h \
	%D%/check-marks.c \
	%D%/check-needs.c \
	%D%/check-references.c \
	%D%/check-uniques.c \
	%D%/check-write.c \
	%D%/check.c \
	%D%/check.h \
	%D%/child.c \
	%D%/child.h \
	%D%/command-check.c \
	%D%/command-leaks-diff.c \
	%D%/command-leaks-report.c \
	%D%/command-run.c \
	%D%/command-test.c \
	%D%/command.h \
	%D%/dangling.c \
	%D%/dangling.h \
	%D%/diff-things.c \
	%D%/diff-write.c \
	%D%/diff.c \
	%D%/diff.h \
	%D%/environment.c \
	%D%/environment.h \
	%D%/growth.c \
	%D%/host-record.h \
	%D%/host-run.c \
	%D%/host-run.h \
	%D%/install.c \
	%D%/install.h \
	%D%/json-balance.c \
	%D%/json-balance.h \
	%D%/json-generation.c \
	%D%/json-generation.h \
	%D%/json-report.c \
	%D%/json.c \
	%D%/json.h \
	%D%/junit.c \
	%D%/junit.h \
	%D%/leaks-model.c \
	%D%/leaks-report.h \
	%D%/leaks-unloading.c \
	%D%/leaks.c \
	%D%/leaks.h \
	%D%/names.c \
	%D%/names.h \
	%D%/options.c \
	%D%/options.h \
	%D%/paper.c \
	%D%/paper.h \
	%D%/program.c \
	%D%/program.h \
	%D%/report.c \
	%D%/resources.c \
	%D%/resources.h \
	%D%/root.c \
	%D%/run-options.c \
	%D%/run-options.h \
	%D%/session-check.c \
	%D%/session-check.h \
	%D%/session-file.c \
	%D%/session-file.h \
	%D%/session-folder.c \
	%D%/session-folder.h \
	%D%/session-prune.c \
	%D%/stay.c \
	%D%/stay.h \
	%D%/tap.c \
	%D%/tap.h \
	%D%/test-options.c \
	%D%/test-options.h \
	%D%/text-balance.c \
	%D%/text-balance.h \
	%D%/text-dangling.c \
	%D%/text-dangling.h \
	%D%/text-generation.c \
	%D%/text-generation.h \
	%D%/text-leftover.c \
	%D%/text-leftover.h \
	%D%/text-note.c \
	%D%/text-note.h \
	%D%/text-place.c \
	%D%/text-place.h \
	%D%/text-quiet.c \
	%D%/text-quiet.h \
	%D%/text-report.c \
	%D%/text-stack.c \
	%D%/text-stack.h \
	%D%/text-summary.c \
	%D%/text-thread.c \
	%D%/text-thread.h \
	%D%/timeout-watch.c \
	%D%/timeout-watch.h \
	%D%/trend.c \
	%D%/trend.h \
	%D%/utf8.c \
	%D%/utf8.h \
	%D%/verdict-host.c \
	%D%/verdict-json.c \
	%D%/verdict-session.c \
	%D%/verdict-text.c \
	%D%/verdict-unloading.c \
	%D%/verdict.c \
	%D%/verdict.h
%C%_libcli_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_libcli_la_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS) $(ELF_CFLAGS) $(DW_CFLAGS) $(JSON_CFLAGS)
%C%_libcli_la_LIBADD = elf/libelfread.la $(JSON_LIBS)

%C%_relib_SOURCES = %D%/main.c
%C%_relib_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_relib_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)
%C%_relib_LDADD = %D%/libcli.la

# No sanitizer: the host of a preload library must be a plain program.
%C%_relib_host_SOURCES = %D%/host-record.h %D%/measure.c %D%/measure.h %D%/relib-host.c
%C%_relib_host_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_relib_host_CFLAGS = $(AM_CFLAGS)
%C%_relib_host_LDADD = -ldl

%C%_relib_names_SOURCES = %D%/relib-names.c
%C%_relib_names_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_relib_names_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)
%C%_relib_names_LDADD = elf/libelfread.la

# bash looks for a file that is called like the command.
dist_bashcompletion_DATA = %D%/completions/relib
dist_zshcompletion_DATA = %D%/completions/_relib
dist_fishcompletion_DATA = %D%/completions/relib.fish
