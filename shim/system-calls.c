/* SPDX-License-Identifier: MIT */
/*
 * What syscall() is told to do with descriptors and mappings; see syscall-x86_64.S, which
 * sends only that here.
 */
#include <linux/close_range.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/socket.h>

#include "shim/mmap.h"
#include "shim/opening.h"
#include "shim/sys.h"

/* Numbers that the headers of older systems do not have; the same on all machines. */
#define NUMBER_io_uring_setup 425
#define NUMBER_open_tree 428
#define NUMBER_fsopen 430
#define NUMBER_fsmount 432
#define NUMBER_fspick 433
#define NUMBER_pidfd_open 434
#define NUMBER_close_range 436
#define NUMBER_openat2 437
#define NUMBER_pidfd_getfd 438
#define NUMBER_landlock_create_ruleset 444
#define NUMBER_memfd_secret 447

enum syscall_kind {
	KIND_PASSED,
	KIND_OPENS, /* its result is a descriptor */
	KIND_SIGNALS,
	KIND_PAIR,    /* its first argument is filled with two */
	KIND_SOCKETS, /* its fourth */
	KIND_CLOSES,
	KIND_CLOSES_RANGE,
	KIND_REPLACES,
	KIND_CONTROL,
	KIND_MESSAGE,
	KIND_MESSAGES,
	KIND_BPF,
	KIND_MAPS,
	KIND_UNMAPS,
	KIND_REMAPS,
	KIND_UNSHARES,
};

const uint8_t syscall_kinds[512] __attribute__((visibility("hidden"))) = {
#ifdef SYS_open
	[SYS_open] = KIND_OPENS,
	[SYS_creat] = KIND_OPENS,
	[SYS_pipe] = KIND_PAIR,
	[SYS_dup2] = KIND_REPLACES,
	[SYS_eventfd] = KIND_OPENS,
	[SYS_epoll_create] = KIND_OPENS,
	[SYS_inotify_init] = KIND_OPENS,
	[SYS_signalfd] = KIND_SIGNALS,
#endif
	[SYS_openat] = KIND_OPENS,
	[SYS_open_by_handle_at] = KIND_OPENS,
	[SYS_pipe2] = KIND_PAIR,
	[SYS_dup] = KIND_OPENS,
	[SYS_dup3] = KIND_REPLACES,
	[SYS_fcntl] = KIND_CONTROL,
	[SYS_close] = KIND_CLOSES,
	[SYS_socket] = KIND_OPENS,
	[SYS_socketpair] = KIND_SOCKETS,
	[SYS_accept] = KIND_OPENS,
	[SYS_accept4] = KIND_OPENS,
	[SYS_recvmsg] = KIND_MESSAGE,
	[SYS_recvmmsg] = KIND_MESSAGES,
	[SYS_eventfd2] = KIND_OPENS,
	[SYS_timerfd_create] = KIND_OPENS,
	[SYS_signalfd4] = KIND_SIGNALS,
	[SYS_epoll_create1] = KIND_OPENS,
	[SYS_inotify_init1] = KIND_OPENS,
	[SYS_fanotify_init] = KIND_OPENS,
	[SYS_memfd_create] = KIND_OPENS,
	[SYS_perf_event_open] = KIND_OPENS,
	[SYS_userfaultfd] = KIND_OPENS,
	[SYS_bpf] = KIND_BPF,
	[SYS_unshare] = KIND_UNSHARES,
	[SYS_mq_open] = KIND_OPENS,
	[SYS_mmap] = KIND_MAPS,
	[SYS_munmap] = KIND_UNMAPS,
	[SYS_mremap] = KIND_REMAPS,
	[NUMBER_io_uring_setup] = KIND_OPENS,
	[NUMBER_open_tree] = KIND_OPENS,
	[NUMBER_fsopen] = KIND_OPENS,
	[NUMBER_fsmount] = KIND_OPENS,
	[NUMBER_fspick] = KIND_OPENS,
	[NUMBER_pidfd_open] = KIND_OPENS,
	[NUMBER_close_range] = KIND_CLOSES_RANGE,
	[NUMBER_openat2] = KIND_OPENS,
	[NUMBER_pidfd_getfd] = KIND_OPENS,
	[NUMBER_landlock_create_ruleset] = KIND_OPENS,
	[NUMBER_memfd_secret] = KIND_OPENS,
};

/* The commands of bpf() whose result is a descriptor, by number. */
#define BPF_OPENS                                                                                  \
	(1ULL << 0 | 1ULL << 5 | 1ULL << 7 | 1ULL << 13 | 1ULL << 14 | 1ULL << 17 | 1ULL << 18 |   \
		1ULL << 19 | 1ULL << 28 | 1ULL << 30 | 1ULL << 32 | 1ULL << 33 | 1ULL << 36)

typedef long system_call(long number, ...);
system_call *syscall_next __attribute__((visibility("hidden")));
system_call *syscall_resolve(void) __attribute__((visibility("hidden")));
long syscall_noted(long number, long a, long b, long c, long d, long e, long f)
	__attribute__((visibility("hidden")));

/* Nobody is next yet: dlsym is just looking. */
static long made_here(long number, long a, long b, long c, long d, long e, long f)
{
	return system_result(sys_call6(number, a, b, c, d, e, f));
}

system_call *syscall_resolve(void)
{
	if (!next_ready() || !next.syscall)
		return (system_call *)made_here;
	__atomic_store_n(&syscall_next, next.syscall, __ATOMIC_RELAXED);
	return next.syscall;
}

static void *call_map(void *start, size_t length, int protection, int flags, int fd, long offset)
{
	return (void *)syscall_resolve()(
		SYS_mmap, start, length, (long)protection, (long)flags, (long)fd, offset);
}

static int call_unmap(void *start, size_t length)
{
	return (int)syscall_resolve()(SYS_munmap, start, length);
}

static void *call_remap(void *old, size_t old_length, size_t length, int flags, ...)
{
	va_list arguments;
	void *fixed;

	va_start(arguments, flags);
	fixed = va_arg(arguments, void *);
	va_end(arguments);
	return (void *)syscall_resolve()(SYS_mremap, old, old_length, length, (long)flags, fixed);
}

/* The descriptors' numbers are 32 bits of the arguments. */
static void before(enum syscall_kind kind, long a, long b, long c)
{
	if (kind == KIND_CLOSES)
		descriptor_closing((int)a);
	else if (kind == KIND_CLOSES_RANGE && !c)
		descriptors_closing((unsigned int)a, (unsigned int)b);
}

static void two_opened(const int *pair, struct origin origin)
{
	descriptor_opened(pair[0], origin);
	descriptor_opened(pair[1], origin);
}

static void messages_received(const struct mmsghdr *messages, long count, struct origin origin)
{
	for (long i = 0; i < count; i++)
		if (messages[i].msg_hdr.msg_control && messages[i].msg_hdr.msg_controllen)
			message_received(&messages[i].msg_hdr, origin);
}

/* It succeeded. */
static void after(enum syscall_kind kind, long result, const long *arguments, struct origin origin)
{
	const struct msghdr *message = (const struct msghdr *)arguments[1];

	switch (kind) {
	case KIND_BPF:
		if ((unsigned long)arguments[0] > 63 || !(BPF_OPENS >> arguments[0] & 1))
			return;
		/* fallthrough */
	case KIND_OPENS:
		descriptor_opened((int)result, origin);
		return;
	case KIND_SIGNALS:
		if ((int)arguments[0] < 0)
			descriptor_opened((int)result, origin);
		return;
	case KIND_PAIR:
		two_opened((const int *)arguments[0], origin);
		return;
	case KIND_SOCKETS:
		two_opened((const int *)arguments[3], origin);
		return;
	case KIND_CONTROL:
		if (control_is_noted((int)arguments[1]))
			control_done((int)arguments[0], (int)arguments[1],
				(const struct flock *)arguments[2], (int)result, origin);
		return;
	case KIND_MESSAGE:
		if (message->msg_control && message->msg_controllen)
			message_received(message, origin);
		return;
	case KIND_UNSHARES:
		if (arguments[0] & CLONE_FILES)
			descriptors_unshared();
		return;
	case KIND_CLOSES_RANGE:
		if (arguments[2] & CLOSE_RANGE_UNSHARE)
			descriptors_unshared();
		return;
	case KIND_MESSAGES:
		messages_received((const struct mmsghdr *)arguments[1], result, origin);
		return;
	default:
		return;
	}
}

long syscall_noted(long number, long a, long b, long c, long d, long e, long f)
{
	const enum syscall_kind kind = syscall_kinds[number];
	const long arguments[] = {a, b, c, d};
	struct descriptor_place place = {0};
	struct origin origin = CALL_ORIGIN();
	long result;

	if (kind == KIND_MAPS)
		return (long)map_noted(
			call_map, origin, (void *)a, (size_t)b, (int)c, (int)d, (int)e, f);
	if (kind == KIND_UNMAPS)
		return unmap_noted(call_unmap, (void *)a, (size_t)b);
	if (kind == KIND_REMAPS)
		return (long)remap_noted(
			call_remap, origin, (void *)a, (size_t)b, (size_t)c, (int)d, (void *)e);
	before(kind, a, b, c);
	if (kind == KIND_REPLACES && origin.place)
		place = descriptor_place_held((int)b);
	result = syscall_resolve()(number, a, b, c, d, e, f);
	if (kind == KIND_CLOSES_RANGE && !c)
		descriptors_closed((unsigned int)a, (unsigned int)b, !result);
	else if (kind == KIND_REPLACES && result >= 0 && (int)a != (int)b &&
		 (origin.place || descriptors_are_held()))
		descriptor_replaced((int)b, origin, &place);
	else if (result >= 0)
		after(kind, result, arguments, origin);
	return result;
}
