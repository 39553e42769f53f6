/* SPDX-License-Identifier: MIT */
/*
 * __cxa_finalize: an object calls it for itself, after its other finalizers,
 * and its return is the last moment at which the object is mapped.
 */
#include <errno.h>

#include "shim/finalize.h"
#include "shim/generation.h"
#include "shim/hooks.h"
#include "shim/keys.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/session.h"
#include "shim/thread-locals.h"
#include "shim/thread.h"

void __cxa_finalize(void *dso);

static struct session_generation *record_of(uint16_t generation)
{
	return session_record(SESSION_GENERATIONS, generation_at(generation)->record);
}

void finalize_finish(uint16_t generation)
{
	struct session_generation *record = record_of(generation);

	if (generation_at(generation)->finished)
		return;
	generation_at(generation)->finished = true;
	/* destructors of static objects may have made more */
	record->locals_run += thread_locals_run(generation);
	record->key_values_run += keys_run(generation);
	record->keys_deleted += keys_delete(generation);
	hooks_take_back(generation);
	/* what the unload dropped already, with the world stopped, is not counted again */
	record->locals_dropped += thread_locals_drop(generation, (int)lock_self());
	record->locals_dropped += thread_locals_gone(generation);
	/* by a destructor that was still running elsewhere */
	record->keys_deleted += keys_delete(generation);
}

RELIB_EXPORT void __cxa_finalize(void *dso)
{
	uint16_t generation =
		dso && thread_self.closing != FINALIZE_NOT ? generation_of((uintptr_t)dso) : 0;

	if (generation) {
		generation_at(generation)->dso = dso;
		/* as at a thread's end: thread-locals before static objects */
		record_of(generation)->locals_run += thread_locals_run(generation);
	}
	if (next_ready() && next.finalize)
		next.finalize(dso);
	if (generation && thread_self.closing == FINALIZE_UNLOAD)
		finalize_finish(generation);
}
