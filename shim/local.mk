# The preload library.  It lives in other people's processes: it links the C
# library only, exports what it interposes and nothing else, and never goes.
lib_LTLIBRARIES += %D%/librelib.la
%C%_librelib_la_SOURCES = \
	%D%/arch.h \
	%D%/arch-x86_64.h \
	%D%/arena.c \
	%D%/arena.h \
	%D%/balances.c \
	%D%/balances.h \
	%D%/attempt.c \
	%D%/attempt.h \
	%D%/attempt-modules.c \
	%D%/blockers.c \
	%D%/blockers.h \
	%D%/callstacks.c \
	%D%/callstacks.h \
	%D%/closes.c \
	%D%/danglings.c \
	%D%/danglings.h \
	%D%/dead-stacks.c \
	%D%/dead-stacks.h \
	%D%/descriptor-text.c \
	%D%/descriptors.c \
	%D%/descriptors.h \
	%D%/dl-x86_64.S \
	%D%/dlclose.c \
	%D%/duplicates.c \
	%D%/environment.c \
	%D%/exits.c \
	%D%/explain.c \
	%D%/explain.h \
	%D%/fault.c \
	%D%/fault.h \
	%D%/files.c \
	%D%/finalize.c \
	%D%/finalize.h \
	%D%/finalizers.c \
	%D%/finalizers.h \
	%D%/freed-chunks.c \
	%D%/freed-chunks.h \
	%D%/generation.c \
	%D%/generation.h \
	%D%/guard.c \
	%D%/guard.h \
	%D%/heap.c \
	%D%/heap.h \
	%D%/heap-class.c \
	%D%/heap-fast.h \
	%D%/heap-internal.h \
	%D%/heap-units.c \
	%D%/heap-walk.c \
	%D%/hook-entries.c \
	%D%/hook-entries.h \
	%D%/hooks.c \
	%D%/hooks.h \
	%D%/intervals.c \
	%D%/intervals.h \
	%D%/io-uring.c \
	%D%/keys.c \
	%D%/keys.h \
	%D%/keys-x86_64.S \
	%D%/late.c \
	%D%/late.h \
	%D%/ledger.c \
	%D%/ledger.h \
	%D%/leave.c \
	%D%/leave.h \
	%D%/leave-x86_64.S \
	%D%/limits.c \
	%D%/link-maps.c \
	%D%/link-maps.h \
	%D%/loader.c \
	%D%/loader.h \
	%D%/lock.c \
	%D%/lock.h \
	%D%/locks.c \
	%D%/locks.h \
	%D%/look.c \
	%D%/look.h \
	%D%/look-images.c \
	%D%/look-images.h \
	%D%/look-mappings.c \
	%D%/look-mappings.h \
	%D%/look-ranges.c \
	%D%/look-ranges.h \
	%D%/main.c \
	%D%/malloc.c \
	%D%/mapped-record.c \
	%D%/mapped-record.h \
	%D%/mappings.c \
	%D%/mappings.h \
	%D%/maps.c \
	%D%/maps.h \
	%D%/mmap.c \
	%D%/module.c \
	%D%/module.h \
	%D%/new.c \
	%D%/next.c \
	%D%/next.h \
	%D%/object-copy.c \
	%D%/object-copy.h \
	%D%/object-image.c \
	%D%/object-image.h \
	%D%/object-record.c \
	%D%/objects.c \
	%D%/objects.h \
	%D%/opens.c \
	%D%/opens.h \
	%D%/opening.h \
	%D%/places.c \
	%D%/places.h \
	%D%/pthread.c \
	%D%/quiet.c \
	%D%/quiet.h \
	%D%/refusal.c \
	%D%/refusal.h \
	%D%/resident.c \
	%D%/resident.h \
	%D%/roots.c \
	%D%/roots.h \
	%D%/scan.c \
	%D%/scan.h \
	%D%/segv.c \
	%D%/segv.h \
	%D%/session.c \
	%D%/session.h \
	%D%/session-file.c \
	%D%/session-file.h \
	%D%/session-format.h \
	%D%/settle.c \
	%D%/settle.h \
	%D%/settings.c \
	%D%/settings.h \
	%D%/signals.c \
	%D%/signals.h \
	%D%/sockets.c \
	%D%/spare-signal.c \
	%D%/spare-signal.h \
	%D%/special-descriptors.c \
	%D%/stacks.c \
	%D%/stacks.h \
	%D%/stays.c \
	%D%/stays.h \
	%D%/streams.c \
	%D%/sys.h \
	%D%/syscall-x86_64.S \
	%D%/syslog.c \
	%D%/system-calls.c \
	%D%/tasks.c \
	%D%/tasks.h \
	%D%/text.h \
	%D%/thread.c \
	%D%/thread.h \
	%D%/thread-locals.c \
	%D%/thread-locals.h \
	%D%/threads.c \
	%D%/threads.h \
	%D%/timers.c \
	%D%/unload.c \
	%D%/unload.h \
	%D%/unloading.c \
	%D%/unloading.h \
	%D%/unwind.c \
	%D%/unwind.h \
	%D%/unwind-cfi.c \
	%D%/unwind-cfi.h \
	%D%/watchdog.c \
	%D%/watchdog.h \
	%D%/world.c \
	%D%/world.h \
	%D%/world-ptrace.c \
	%D%/world-signal.c \
	%D%/world-ways.h

# -fno-builtin: gcc would otherwise reason about malloc and free, which are ours.
# initial-exec: a dynamic TLS block would be allocated with the malloc that we interpose.
# No stack protector: parts run on stacks and with thread pointers that are not theirs.
shim_cflags = -fPIC -fvisibility=hidden -fno-builtin -ftls-model=initial-exec \
	-fno-stack-protector -fasynchronous-unwind-tables -O2
%C%_librelib_la_CPPFLAGS = $(AM_CPPFLAGS) -D_GNU_SOURCE
%C%_librelib_la_CFLAGS = $(AM_CFLAGS) $(shim_cflags) $(SHIM_SAN_CFLAGS)
%C%_librelib_la_CCASFLAGS = $(AM_CCASFLAGS) -I$(top_srcdir)
%C%_librelib_la_LDFLAGS = -version-info 0:0:0 $(SHIM_SAN_LDFLAGS) -Wl,-z,defs -Wl,-z,nodelete -Wl,-z,now \
	-Wl,--version-script=$(top_srcdir)/%D%/librelib.map
%C%_librelib_la_DEPENDENCIES = %D%/librelib.map
EXTRA_DIST += %D%/librelib.map
pkgconfig_DATA += %D%/relib.pc
