/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "shim/generation.h"
#include "shim/loader.h"
#include "shim/next.h"
#include "shim/thread.h"
#include "shim/unload.h"

/* As the entry stub of dlclose fills it. */
_Static_assert(offsetof(struct world_caller, sp) == 0, "dl-x86_64.S");
_Static_assert(offsetof(struct world_caller, saved) == 8, "dl-x86_64.S");
_Static_assert(offsetof(struct world_caller, saved_count) == 72, "dl-x86_64.S");

int dlclose_from(void *handle, const struct world_caller *caller)
{
	int result, saved;

	if (!next_ready() || !next.dlclose)
		return -1;
	thread_self.closing++;
	result = next.dlclose(handle);
	thread_self.closing--;
	if (generation_gone_count()) {
		saved = errno;
		unload_look(caller);
		errno = saved;
	}
	return result;
}
