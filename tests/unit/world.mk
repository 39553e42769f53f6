# Stopping the world and scanning it.
if HAVE_CHECK
world_test_sources = shim/fault.c shim/maps.c shim/resident.c shim/scan.c shim/stacks.c \
	shim/tasks.c shim/world.c shim/world-ptrace.c shim/world-signal.c

check_PROGRAMS += tests/unit/world tests/unit/world-host tests/unit/scan
TESTS += tests/unit/world tests/unit/world-host tests/unit/scan

tests_unit_world_SOURCES = tests/unit/world.c tests/unit/stopped.h $(world_test_sources)
tests_unit_world_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
tests_unit_world_LDADD = $(CHECK_LIBS)

tests_unit_world_host_SOURCES = tests/unit/world-host.c tests/unit/seccomp.h \
	tests/unit/stopped.h $(world_test_sources)
tests_unit_world_host_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
tests_unit_world_host_LDADD = $(CHECK_LIBS)

tests_unit_scan_SOURCES = tests/unit/scan.c $(world_test_sources)
tests_unit_scan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
tests_unit_scan_LDADD = $(CHECK_LIBS)
endif
