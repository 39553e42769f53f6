/* SPDX-License-Identifier: MIT */
/* The functions that open what is no file: pipes, events, timers, processes, memory. */
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "shim/opening.h"
#include "shim/sys.h"

int __pipe(int *pair);
/* of sys/mount.h, where it is new enough */
int fsopen(const char *type, unsigned int flags);
int fsmount(int context, unsigned int flags, unsigned int attributes);
int fspick(int folder, const char *path, unsigned int flags);
int open_tree(int folder, const char *path, unsigned int flags);
int pidfd_open(int pid, unsigned int flags);
int pidfd_getfd(int pidfd, int fd, unsigned int flags);

RELIB_EXPORT int pipe(int pair[2])
{
	OPENING_PAIR(pipe, pair, pair);
}

RELIB_EXPORT int __pipe(int *pair)
{
	OPENING_PAIR(pipe_old_name, pair, pair);
}

RELIB_EXPORT int pipe2(int pair[2], int flags)
{
	OPENING_PAIR(pipe2, pair, pair, flags);
}

RELIB_EXPORT int eventfd(unsigned int initial, int flags)
{
	OPENING(eventfd, initial, flags);
}

RELIB_EXPORT int timerfd_create(int clock, int flags)
{
	OPENING(timerfd_create, clock, flags);
}

/* With a descriptor it changes that one, and returns it. */
RELIB_EXPORT int signalfd(int fd, const sigset_t *mask, int flags)
{
	if (fd < 0)
		OPENING(signalfd, fd, mask, flags);
	if (!next_ready() || !next.signalfd)
		return function_missing();
	return next.signalfd(fd, mask, flags);
}

RELIB_EXPORT int epoll_create(int size)
{
	OPENING(epoll_create, size);
}

RELIB_EXPORT int epoll_create1(int flags)
{
	OPENING(epoll_create1, flags);
}

RELIB_EXPORT int inotify_init(void)
{
	OPENING(inotify_init);
}

RELIB_EXPORT int inotify_init1(int flags)
{
	OPENING(inotify_init1, flags);
}

RELIB_EXPORT int fanotify_init(unsigned int flags, unsigned int event_flags)
{
	OPENING(fanotify_init, flags, event_flags);
}

RELIB_EXPORT int memfd_create(const char *name, unsigned int flags)
{
	OPENING(memfd_create, name, flags);
}

RELIB_EXPORT int fsopen(const char *type, unsigned int flags)
{
	OPENING(fsopen, type, flags);
}

RELIB_EXPORT int fsmount(int context, unsigned int flags, unsigned int attributes)
{
	OPENING(fsmount, context, flags, attributes);
}

RELIB_EXPORT int fspick(int folder, const char *path, unsigned int flags)
{
	OPENING(fspick, folder, path, flags);
}

RELIB_EXPORT int open_tree(int folder, const char *path, unsigned int flags)
{
	OPENING(open_tree, folder, path, flags);
}

/* Those that the C library has not had for long are made without it where it has not. */
RELIB_EXPORT int pidfd_open(int pid, unsigned int flags)
{
	int fd;

	if (next_ready() && next.pidfd_open)
		fd = next.pidfd_open(pid, flags);
	else
		fd = (int)system_result(sys_call(SYS_pidfd_open, pid, flags, 0));
	if (fd >= 0)
		descriptor_opened(fd, CALL_ORIGIN());
	return fd;
}

RELIB_EXPORT int pidfd_getfd(int pidfd, int other, unsigned int flags)
{
	int fd;

	if (next_ready() && next.pidfd_getfd)
		fd = next.pidfd_getfd(pidfd, other, flags);
	else
		fd = (int)system_result(sys_call(SYS_pidfd_getfd, pidfd, other, flags));
	if (fd >= 0)
		descriptor_opened(fd, CALL_ORIGIN());
	return fd;
}
