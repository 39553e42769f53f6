/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>

#include "shim/handles.h"
#include "shim/loader.h"
#include "shim/next.h"
#include "shim/unloading.h"

/* As the entry stub of dlclose fills it. */
_Static_assert(offsetof(struct world_caller, sp) == 0, "dl-x86_64.S");
_Static_assert(offsetof(struct world_caller, saved) == 8, "dl-x86_64.S");
_Static_assert(offsetof(struct world_caller, pc) == 80, "dl-x86_64.S");
_Static_assert(offsetof(struct world_caller, saved_count) == 72, "dl-x86_64.S");

int dlclose_from(void *handle, const struct world_caller *caller)
{
	struct closing closing;
	int result, saved;

	if (!next_ready() || !next.dlclose)
		return -1;
	closing = handle_closing(handle, ((const uintptr_t *)caller->sp)[-1]);
	result = unloading_close(handle, caller);
	saved = errno;
	if (!result)
		handle_closed(&closing);
	errno = saved;
	return result;
}
