/* SPDX-License-Identifier: MIT */
#include <stddef.h>

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
	if (!next_ready() || !next.dlclose)
		return -1;
	return unloading_close(handle, caller);
}
