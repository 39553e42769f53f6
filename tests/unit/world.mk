# Stopping the world and scanning it, the module heap, sets of intervals and the table of descriptors.
if HAVE_CHECK
world_test_sources = shim/fault.c shim/maps.c shim/resident.c shim/scan.c shim/stacks.c \
	shim/spare-signal.c shim/tasks.c shim/world.c shim/world-ptrace.c shim/world-signal.c

check_PROGRAMS += %D%/world %D%/world-host %D%/scan
TESTS += %D%/world %D%/world-host %D%/scan

%C%_world_SOURCES = %D%/world.c %D%/stopped.h $(world_test_sources)
%C%_world_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_world_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
%C%_world_LDADD = $(CHECK_LIBS)

%C%_world_host_SOURCES = %D%/world-host.c %D%/seccomp.h \
	%D%/stopped.h $(world_test_sources)
%C%_world_host_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_world_host_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
%C%_world_host_LDADD = $(CHECK_LIBS)

%C%_scan_SOURCES = %D%/scan.c $(world_test_sources)
%C%_scan_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_scan_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
%C%_scan_LDADD = $(CHECK_LIBS)

check_PROGRAMS += %D%/heap
TESTS += %D%/heap
%C%_heap_SOURCES = %D%/heap.c shim/heap.c shim/heap-class.c shim/heap-units.c shim/heap-walk.c \
	shim/lock.c
%C%_heap_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_heap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
%C%_heap_LDADD = $(CHECK_LIBS)

check_PROGRAMS += %D%/descriptors
TESTS += %D%/descriptors
%C%_descriptors_SOURCES = %D%/descriptors.c shim/descriptor-text.c shim/descriptors.c
%C%_descriptors_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_descriptors_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin
%C%_descriptors_LDADD = $(CHECK_LIBS)

check_PROGRAMS += %D%/interval-set
TESTS += %D%/interval-set
%C%_interval_set_SOURCES = %D%/interval-set.c shim/arena.c shim/interval-set.c shim/lock.c
%C%_interval_set_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_interval_set_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) -fno-builtin -pthread
%C%_interval_set_LDADD = $(CHECK_LIBS)
endif
