/* SPDX-License-Identifier: MIT */
/*
 * A host that limits its own address space (RLIMIT_AS) counts on what it uses,
 * not on what relib has reserved: the kernel counts both, and the host's next
 * mmap would fail.  So what is reserved and not used shrinks before the limit,
 * to the share that it would have had under it from the start.
 */
#include <errno.h>

#include "shim/guard.h"
#include "shim/heap.h"
#include "shim/next.h"
#include "shim/session.h"
#include "shim/sys.h"

#define LIMIT(name, parameters)                                                                    \
	int limit_##name parameters __asm__(#name);                                                \
	RELIB_EXPORT int limit_##name parameters

static void limit_comes(int resource, const struct rlimit *limit)
{
	if (resource != (int)RLIMIT_AS || !limit || limit->rlim_cur == RLIM_INFINITY)
		return;
	heap_limit(limit->rlim_cur / 3);
	session_limit(limit->rlim_cur / 16);
	guard_limit(limit->rlim_cur / 16);
}

static bool is_us(int pid)
{
	return !pid || pid == (int)sys_call(SYS_getpid, 0, 0, 0);
}

static int limit_unknown(void)
{
	errno = ENOSYS;
	return -1;
}

LIMIT(setrlimit, (int resource, const struct rlimit *limit))
{
	limit_comes(resource, limit);
	return next_ready() && next.setrlimit ? next.setrlimit(resource, limit) : limit_unknown();
}

LIMIT(setrlimit64, (int resource, const struct rlimit *limit))
{
	limit_comes(resource, limit);
	return next_ready() && next.setrlimit64 ? next.setrlimit64(resource, limit)
						: limit_unknown();
}

LIMIT(prlimit, (int pid, int resource, const struct rlimit *limit, struct rlimit *old))
{
	if (is_us(pid))
		limit_comes(resource, limit);
	return next_ready() && next.prlimit ? next.prlimit(pid, resource, limit, old)
					    : limit_unknown();
}

LIMIT(prlimit64, (int pid, int resource, const struct rlimit *limit, struct rlimit *old))
{
	if (is_us(pid))
		limit_comes(resource, limit);
	return next_ready() && next.prlimit64 ? next.prlimit64(pid, resource, limit, old)
					      : limit_unknown();
}
