/* SPDX-License-Identifier: MIT */
/*
 * A plugin that opens descriptors: leave_NAME acquires one (or a pair) by the
 * function NAME and leaves it; end_NAME opens 64 eventfds and ends them by
 * NAME.  Each returns a descriptor, or -errno.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>
#ifdef WITH_LIBURING
#include <liburing.h>
#endif

int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);
int __dup2(int from, int to);
int __pipe(int *pair);
int __fcntl(int fd, int command, ...);
int __close(int fd);
int pidfd_open(int pid, unsigned int flags);
int pidfd_getfd(int pidfd, int fd, unsigned int flags);

static int room[2]; /* what a function filled in */

#define LEAVE(name, call)                                                                          \
	PLUGIN long leave_##name(long number)                                                      \
	{                                                                                          \
		long fd = (call);                                                                  \
                                                                                                   \
		(void)number;                                                                      \
		NOT_A_TAIL_CALL();                                                                 \
		return fd < 0 ? -errno : fd;                                                       \
	}

/* For the functions that fill in two and return 0. */
#define PAIR(call) ((call) ? -1 : room[0])

/* A file of this name in a folder of the test's own. */
static const char *file(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", getenv("DESCRIPTORS_FOLDER"), name);
	return path;
}

/* A number that nobody uses. */
static int number_unused(void)
{
	int fd = 200;

	while (fcntl(fd, F_GETFD) >= 0)
		fd++;
	return fd;
}

LEAVE(open, open("/dev/null", O_RDONLY))
LEAVE(open64, open64(file("made"), O_RDWR | O_CREAT, 0640))
LEAVE(__open, __open("/dev/null", O_RDONLY))
LEAVE(__open64, __open64("/dev/null", O_RDONLY))
LEAVE(__open_2, __open_2("/dev/null", O_RDONLY))
LEAVE(__open64_2, __open64_2("/dev/null", O_RDONLY))
LEAVE(openat, openat(AT_FDCWD, file("made at"), O_RDWR | O_CREAT, 0640))
LEAVE(openat64, openat64(AT_FDCWD, "/dev/null", O_RDONLY))
LEAVE(__openat_2, __openat_2(AT_FDCWD, "/dev/null", O_RDONLY))
LEAVE(__openat64_2, __openat64_2(AT_FDCWD, "/dev/null", O_RDONLY))
LEAVE(folder, open("/proc", O_RDONLY | O_DIRECTORY))
LEAVE(unnamed, open(getenv("DESCRIPTORS_FOLDER"), O_RDWR | O_TMPFILE, 0600))
LEAVE(creat, creat(file("created"), 0600))
LEAVE(creat64, creat64(file("created64"), 0600))
LEAVE(posix_openpt, posix_openpt(O_RDWR | O_NOCTTY))
LEAVE(getpt, getpt())
LEAVE(openpty, PAIR(openpty(&room[0], &room[1], NULL, NULL, NULL)))

/* The mode reaches the file, though it is one of the arguments that are not always there. */
PLUGIN long modes(long number)
{
	struct stat made, made_at;

	(void)number;
	umask(022);
	leave_open64(0);
	leave_openat(0);
	if (stat(file("made"), &made) || stat(file("made at"), &made_at))
		return -errno;
	return (long)(made.st_mode & 0777) * 1000 + (made_at.st_mode & 0777);
}

PLUGIN long leave_deleted(long number)
{
	long fd = creat(file("deleted"), 0600);

	(void)number;
	unlink(file("deleted"));
	return fd < 0 ? -errno : fd;
}

PLUGIN long leave_open_by_handle_at(long number)
{
	struct {
		struct file_handle handle;
		unsigned char bytes[MAX_HANDLE_SZ];
	} *named = calloc(1, sizeof(*named));
	int mount, folder = open(getenv("DESCRIPTORS_FOLDER"), O_RDONLY), fd;

	(void)number;
	named->handle.handle_bytes = MAX_HANDLE_SZ;
	fd = name_to_handle_at(folder, "", &named->handle, &mount, AT_EMPTY_PATH);
	if (!fd)
		fd = open_by_handle_at(folder, &named->handle, O_RDONLY);
	if (fd < 0)
		fd = -errno;
	close(folder);
	free(named);
	return fd;
}

LEAVE(dup, dup(1))
LEAVE(dup2, dup2(1, number_unused()))
LEAVE(__dup2, __dup2(1, number_unused()))
LEAVE(dup3, dup3(1, number_unused(), O_CLOEXEC))
LEAVE(fcntl, fcntl(1, F_DUPFD, 300))
LEAVE(fcntl_cloexec, fcntl(1, F_DUPFD_CLOEXEC, 300))
LEAVE(fcntl64, fcntl64(1, F_DUPFD, 300))
LEAVE(__fcntl, __fcntl(1, F_DUPFD, 300))
LEAVE(pipe, PAIR(pipe(room)))
LEAVE(__pipe, PAIR(__pipe(room)))
LEAVE(pipe2, PAIR(pipe2(room, O_CLOEXEC)))

LEAVE(socket, socket(AF_INET, SOCK_STREAM, 0))
LEAVE(socket_udp6, socket(AF_INET6, SOCK_DGRAM, 0))
LEAVE(socket_netlink, socket(AF_NETLINK, SOCK_RAW, 0))
LEAVE(socket_unix, socket(AF_UNIX, SOCK_DGRAM, 0))
LEAVE(socketpair, PAIR(socketpair(AF_UNIX, SOCK_STREAM, 0, room)))

static int bound(int family, const void *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, address, size) || listen(fd, 4))
		return -1;
	return fd;
}

LEAVE(path_socket, ({
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strncpy(address.sun_path, file("socket"), sizeof(address.sun_path) - 1);
	bound(AF_UNIX, &address, sizeof(address));
}))

LEAVE(abstract_socket, ({
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		"descriptors %d", (int)getpid());

	bound(AF_UNIX, &address, offsetof(struct sockaddr_un, sun_path) + 1 + length);
}))

/* Connects to a listener of its own, which it closes; kind: 0 accept, 1 accept4, 2 syscall. */
static int accepted(int family, int kind)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	void *address = family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t size = family == AF_INET ? sizeof(in) : sizeof(in6);
	int listener = bound(family, address, size), client = socket(family, SOCK_STREAM, 0), fd = -1;

	if (listener >= 0 && !getsockname(listener, address, &size) &&
		!connect(client, address, size))
		fd = kind == 0 ? accept(listener, NULL, NULL)
		     : kind == 1 ? accept4(listener, NULL, NULL, SOCK_CLOEXEC)
				 : (int)syscall(SYS_accept4, listener, NULL, NULL, 0);
	close(listener);
	close(client);
	return fd;
}

LEAVE(accept, accepted(AF_INET, 0))
LEAVE(accept4, accepted(AF_INET, 1))
LEAVE(accept_6, accepted(AF_INET6, 0))
LEAVE(listener, ({
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };

	bound(AF_INET, &in, sizeof(in));
}))

/* Sends count descriptors to itself; how: 0 recvmsg, 1 recvmmsg, 2 syscall. */
static int received(int count, int how)
{
	union {
		struct cmsghdr header;
		char bytes[256];
	} sent = { .bytes = "" }, got = { .bytes = "" };
	char byte = 1;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &sent,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct mmsghdr messages = { .msg_hdr = { .msg_iov = &part, .msg_iovlen = 1,
		.msg_control = &got, .msg_controllen = sizeof(got) } };
	int ends[2], fd = -1, done = -1;

	sent.header.cmsg_level = SOL_SOCKET;
	sent.header.cmsg_type = SCM_RIGHTS;
	sent.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	for (int i = 0; i < count; i++)
		((int *)CMSG_DATA(&sent.header))[i] = 1;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	if (sendmsg(ends[0], &message, 0) == 1)
		done = how == 0 ? (int)recvmsg(ends[1], &messages.msg_hdr, 0)
		       : how == 1 ? recvmmsg(ends[1], &messages, 1, 0, NULL)
				  : (int)syscall(SYS_recvmsg, ends[1], &messages.msg_hdr, 0);
	if (done == 1)
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&messages.msg_hdr)), sizeof(fd));
	close(ends[0]);
	close(ends[1]);
	return fd;
}

LEAVE(recvmsg, received(1, 0))
LEAVE(recvmsg_three, received(3, 0))
LEAVE(recvmmsg, received(1, 1))
LEAVE(syscall_recvmsg, received(2, 2))

static sigset_t *no_signals(void)
{
	static sigset_t set;

	sigemptyset(&set);
	return &set;
}

LEAVE(eventfd, eventfd(0, 0))
LEAVE(timerfd_create, timerfd_create(CLOCK_MONOTONIC, 0))
LEAVE(signalfd, signalfd(-1, no_signals(), 0))
LEAVE(signalfd_twice, signalfd(signalfd(-1, no_signals(), 0), no_signals(), 0))
LEAVE(epoll_create, epoll_create(1))
LEAVE(epoll_create1, epoll_create1(EPOLL_CLOEXEC))
LEAVE(inotify_init, inotify_init())
LEAVE(inotify_init1, inotify_init1(IN_CLOEXEC))
LEAVE(fanotify_init, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY))
LEAVE(memfd_create, memfd_create("a name", 0))
LEAVE(pidfd_open, pidfd_open(getpid(), 0))

PLUGIN long leave_pidfd_getfd(long number)
{
	int self = pidfd_open(getpid(), 0), fd = pidfd_getfd(self, 1, 0);

	(void)number;
	if (fd < 0)
		fd = -errno;
	close(self);
	return fd;
}

#ifdef SYS_memfd_secret
LEAVE(syscall_memfd_secret, syscall(SYS_memfd_secret, 0))
#endif
LEAVE(syscall_open, syscall(SYS_open, "/dev/null", O_RDONLY))
LEAVE(syscall_openat, syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY))
LEAVE(syscall_openat2, ({
	uint64_t how[3] = { O_RDONLY, 0, 0 };

	syscall(437, AT_FDCWD, "/dev/null", how, sizeof(how));
}))
LEAVE(syscall_memfd_create, syscall(SYS_memfd_create, "raw", 0))
LEAVE(syscall_socket, syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0))
LEAVE(syscall_socketpair, PAIR(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, room)))
LEAVE(syscall_pipe2, PAIR(syscall(SYS_pipe2, room, 0)))
LEAVE(syscall_accept4, accepted(AF_INET, 2))
LEAVE(syscall_eventfd2, syscall(SYS_eventfd2, 0, 0))
LEAVE(syscall_epoll_create1, syscall(SYS_epoll_create1, 0))
LEAVE(syscall_pidfd_open, syscall(434, getpid(), 0))
LEAVE(syscall_dup, syscall(SYS_dup, 1))
LEAVE(syscall_dup3, syscall(SYS_dup3, 1, number_unused(), 0))
LEAVE(syscall_fcntl, syscall(SYS_fcntl, 1, F_DUPFD, 300))
LEAVE(syscall_userfaultfd, syscall(SYS_userfaultfd, 0))
LEAVE(syscall_io_uring_setup, ({
	static char parameters[120];

	memset(parameters, 0, sizeof(parameters));
	syscall(425, 2, parameters);
}))
LEAVE(syscall_perf_event_open, ({
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes), .config = PERF_COUNT_SW_DUMMY, .exclude_kernel = 1 };

	syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}))
LEAVE(syscall_bpf_map, ({
	uint32_t attributes[32] = { 2, 4, 4, 1 };

	syscall(SYS_bpf, 0, attributes, sizeof(attributes));
}))

#ifdef WITH_LIBURING
static struct io_uring *ring(long error)
{
	static struct io_uring rings[2];

	errno = error < 0 ? (int)-error : 0;
	return rings;
}

LEAVE(io_uring_queue_init, (errno = -io_uring_queue_init(2, ring(0), 0)) ? -1 : ring(0)->ring_fd)
LEAVE(io_uring_queue_init_params, ({
	struct io_uring_params parameters = { 0 };

	(errno = -io_uring_queue_init_params(2, ring(0), &parameters)) ? -1 : ring(0)->ring_fd;
}))

PLUGIN long end_io_uring_queue_exit(long number)
{
	int error = io_uring_queue_init(2, ring(0) + 1, 0);

	(void)number;
	if (error)
		return error;
	io_uring_queue_exit(ring(0) + 1);
	return 0;
}
#endif

/* --- the ways to end one ------------------------------------------------ */

#define MANY 64
#define FIRST 400

/* As many, with numbers that follow each other. */
static void many_opened(void)
{
	for (int i = 0; i < MANY; i++) {
		int fd = eventfd(0, 0);

		fcntl(fd, F_DUPFD, FIRST + i);
		close(fd);
	}
}

#define END_EACH(name, call)                                                                       \
	PLUGIN long end_##name(long number)                                                        \
	{                                                                                          \
		many_opened();                                                                     \
		for (int fd = FIRST; fd < FIRST + MANY; fd++)                                      \
			if ((call) < 0)                                                            \
				return -errno;                                                     \
		return number;                                                                     \
	}

#define END_ALL(name, call)                                                                        \
	PLUGIN long end_##name(long number)                                                        \
	{                                                                                          \
		long result;                                                                       \
                                                                                                   \
		many_opened();                                                                     \
		result = (call);                                                                   \
		return result < 0 ? -errno : number;                                               \
	}

END_EACH(close, close(fd))
END_EACH(__close, __close(fd))
END_EACH(syscall_close, syscall(SYS_close, fd))
END_ALL(close_range, close_range(FIRST, FIRST + MANY - 1, 0))
END_ALL(syscall_close_range, syscall(436, FIRST, FIRST + MANY - 1, 0))
END_ALL(closefrom, (closefrom(FIRST), 0))

#define END_NONE(name, call)                                                                       \
	PLUGIN long end_none_##name(long number)                                                   \
	{                                                                                          \
		int fd = eventfd(0, 0);                                                            \
                                                                                                   \
		(void)(call);                                                                      \
		number = fcntl(fd, F_GETFD) >= 0 ? fd : -errno;                                    \
		return number;                                                                     \
	}
END_NONE(close_range_cloexec, close_range((unsigned int)fd, (unsigned int)fd, CLOSE_RANGE_CLOEXEC))
END_NONE(close_range_wrong, close_range((unsigned int)fd, (unsigned int)fd, 1 << 20))
END_NONE(close_range_backwards, close_range((unsigned int)fd, (unsigned int)fd - 1, 0))
END_NONE(dup2_same, dup2(fd, fd))
END_NONE(dup2_wrong, dup2(9999, fd))
END_NONE(dup3_same, dup3(fd, fd, 0))
END_NONE(dup3_wrong, dup3(9999, fd, 0))

/* dup2 over one's own: that is given back, and there is another. */
#define OVER(name, call)                                                                           \
	PLUGIN long over_##name(long number)                                                       \
	{                                                                                          \
		int from = eventfd(0, 0), fd = eventfd(0, 0);                                      \
                                                                                                   \
		(void)number;                                                                      \
		if ((call) != fd)                                                                  \
			return -errno;                                                             \
		return fd;                                                                         \
	}
OVER(dup2, dup2(from, fd))
OVER(__dup2, __dup2(from, fd))
OVER(dup3, dup3(from, fd, O_CLOEXEC))
OVER(syscall_dup3, syscall(SYS_dup3, from, fd, 0))

/* --- what hosts and plugins do to each other ---------------------------- */

/* Past every function, as code that brings its own system calls does. */
PLUGIN long close_raw(long fd)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"((long)SYS_close), "D"(fd)
			 : "rcx", "r11", "memory");
	return result;
}

PLUGIN long receive_from(long socket)
{
	union {
		struct cmsghdr header;
		char bytes[64];
	} got = { .bytes = "" };
	char byte;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &got,
		.msg_controllen = sizeof(got) };
	int fd = -1;

	if (recvmsg((int)socket, &message, 0) == 1)
		memcpy(&fd, CMSG_DATA(&got.header), sizeof(fd));
	return fd;
}

/* The host's standard error goes elsewhere. */
PLUGIN long redirect(long fd)
{
	int elsewhere = open("/dev/null", O_WRONLY), result = dup2(elsewhere, (int)fd);

	close(elsewhere);
	return result;
}

/* And comes back. */
PLUGIN long redirect_for_a_while(long fd)
{
	int saved = dup((int)fd);

	redirect(fd);
	dup2(saved, (int)fd);
	return close(saved);
}

/* Opens and closes count times, and leaves one of seven. */
PLUGIN long churn(long count)
{
	long left = 0;

	for (long i = 0; i < count; i++) {
		int fd = eventfd(0, 0), other;

		if (fd < 0)
			return -errno;
		if (i % 7 == 0) {
			left++;
			continue;
		}
		if (i % 3 == 0) {
			other = dup(fd);
			dup2(fd, other);
			close_range((unsigned int)other, (unsigned int)other, 0);
		}
		close(fd);
	}
	return left;
}
