/* SPDX-License-Identifier: MIT */
/*
 * System calls that touch neither errno nor thread-locals nor cancellation
 * points: the shim makes them inside the host's malloc and in helpers that
 * borrow another thread's TLS.  Each returns the kernel's value, -errno on error.
 */
#ifndef RELIB_SYS_H
#define RELIB_SYS_H

#include <fcntl.h>
#include <linux/futex.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "shim/arch.h"

#define sys_call6(nr, a, b, c, d, e, f)                                                            \
	arch_syscall((nr), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define sys_call(nr, a, b, c) sys_call6((nr), (long)(a), (long)(b), (long)(c), 0, 0, 0)

static inline int sys_gettid(void)
{
	return (int)sys_call(SYS_gettid, 0, 0, 0);
}

/* Anonymous private memory; NULL when there is none. */
static inline void *sys_map(size_t size, int protection)
{
	long result = sys_call6(SYS_mmap, 0, (long)size, protection,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return result < 0 && result > -4096 ? NULL : (void *)result;
}

static inline long sys_unmap(void *start, size_t size)
{
	return sys_call(SYS_munmap, start, size, 0);
}

static inline long sys_protect(void *start, size_t size, int protection)
{
	return sys_call(SYS_mprotect, start, size, protection);
}

static inline long sys_advise(void *start, size_t size, int advice)
{
	return sys_call(SYS_madvise, start, size, advice);
}

static inline long sys_open(const char *path, int flags, int mode)
{
	return sys_call6(SYS_openat, AT_FDCWD, (long)path, flags | O_CLOEXEC, mode, 0, 0);
}

static inline long sys_close(int fd)
{
	return sys_call(SYS_close, fd, 0, 0);
}

static inline long sys_read(int fd, void *buffer, size_t size)
{
	return sys_call(SYS_read, fd, buffer, size);
}

/* Bytes of address space in use, as the kernel counts them against RLIMIT_AS; 0: unknown. */
static inline size_t sys_address_used(void)
{
	char text[64];
	int fd = (int)sys_open("/proc/self/statm", O_RDONLY, 0);
	long length = fd < 0 ? 0 : sys_read(fd, text, sizeof(text));
	size_t pages = 0;

	if (fd >= 0)
		sys_close(fd);
	for (long i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++)
		pages = pages * 10 + (size_t)(text[i] - '0');
	return pages * 4096;
}

/*
 * How much address space one reservation of ours may take, when the process
 * has a limit (RLIMIT_AS): a share of what is left, that does not starve the
 * host.
 */
static inline size_t sys_address_share(unsigned int divisor)
{
	struct rlimit limit;
	size_t used;

	if (sys_call(SYS_getrlimit, RLIMIT_AS, &limit, 0) || limit.rlim_cur == RLIM_INFINITY)
		return SIZE_MAX;
	/* read once: other threads change it */
	used = sys_address_used();
	return used < limit.rlim_cur ? (limit.rlim_cur - used) / divisor : 0;
}

static inline long sys_write(int fd, const void *buffer, size_t size)
{
	return sys_call(SYS_write, fd, buffer, size);
}

static inline long sys_futex(void *word, int operation, int value, const void *timeout)
{
	return sys_call6(SYS_futex, (long)word, operation, value, (long)timeout, 0, 0);
}

#endif
