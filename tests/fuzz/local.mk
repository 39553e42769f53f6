# Fuzzers of the parsers.
noinst_HEADERS += %D%/fuzz.h
check_PROGRAMS += %D%/session
TESTS += %D%/session
%C%_session_SOURCES = %D%/session.c %D%/session-driver.c tests/unit/session-maker.c
%C%_session_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_session_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS) $(JSON_CFLAGS)
%C%_session_LDADD = cli/libcli.la

check_PROGRAMS += %D%/unwind-cfi
TESTS += %D%/unwind-cfi
%C%_unwind_cfi_SOURCES = %D%/unwind-cfi.c shim/unwind-cfi.c
%C%_unwind_cfi_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_unwind_cfi_CFLAGS = $(AM_CFLAGS) $(SAN_CFLAGS)
