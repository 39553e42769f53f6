/* SPDX-License-Identifier: MIT */
/*
 * Threads that leave the process's table of descriptors for one of their own.
 * The numbers there are not those that descriptors.h knows of.
 */
#include <sched.h>

#include "shim/opening.h"
#include "shim/sys.h"
#include "shim/tasks.h"
#include "shim/thread.h"

/* Nobody else uses the table: it stays the process's. */
static bool is_alone(void)
{
	int tasks = tasks_open();
	long count = tasks < 0 ? 0 : tasks_count(tasks);

	if (tasks >= 0)
		sys_close(tasks);
	return count == 1;
}

void descriptors_unshared(void)
{
	if (!is_alone())
		thread_self.own_descriptors = true;
}

RELIB_EXPORT int unshare(int flags)
{
	int result;

	if (!next_ready() || !next.unshare)
		return function_missing();
	result = next.unshare(flags);
	if (!result && flags & CLONE_FILES)
		descriptors_unshared();
	return result;
}
