/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "shim/generation.h"
#include "shim/next.h"
#include "shim/unload.h"

int dlclose(void *handle);

RELIB_EXPORT int dlclose(void *handle)
{
	struct world_caller caller;
	int result, saved;

	if (!next_ready() || !next.dlclose)
		return -1;
	world_caller_here(&caller);
	result = next.dlclose(handle);
	if (generation_gone_count()) {
		saved = errno;
		unload_look(&caller);
		errno = saved;
	}
	return result;
}
