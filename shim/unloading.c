/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>

#include "shim/attempt.h"
#include "shim/finalize.h"
#include "shim/finalizers.h"
#include "shim/next.h"
#include "shim/refusal.h"
#include "shim/session.h"
#include "shim/stays.h"
#include "shim/thread.h"
#include "shim/unload.h"
#include "shim/unloading.h"

/* The calls of dlclose that are left to the host, were all under way done. */
static uint32_t opens_left(const struct object *object)
{
	uint32_t opens = link_map_opens(object), owed = object->owed + object->in_flight;

	return opens > owed ? opens - owed : 0;
}

/*
 * Nothing of ours goes: the loader's own business, but for why something stays.
 * object: counted as under way, or NULL.
 */
static int close_plain(void *handle, struct object *object, const struct world_caller *caller)
{
	struct going self = {.object = object};
	unsigned char closing = thread_self.closing;
	int result, saved;

	if (object) {
		self.generation = object->generation;
		self.record = generation_at(object->generation)->record;
	}
	thread_self.closing = FINALIZE_UNLOAD;
	result = next.dlclose(handle);
	thread_self.closing = closing;
	saved = errno;
	if (object) {
		unload_lock_wait();
		if (is_still(&self)) {
			object->in_flight--;
			if (!result && !object->abandoned)
				stays_note(object);
		}
		unload_unlock();
	}
	if (generation_gone_count())
		unload_look(caller);
	errno = saved;
	return result;
}

static void closes_count(const struct object *object)
{
	const struct generation *generation = generation_at(object->generation);
	struct session_generation *record;

	if (!object->generation || !generation->record)
		return;
	record = session_record(SESSION_GENERATIONS, generation->record);
	record->closes++;
}

static void deferred_retry(const struct world_caller *caller);

int unloading_close(void *handle, const struct world_caller *caller)
{
	struct object *object = generation_alive ? objects_of_map(handle) : NULL;
	struct attempt *attempt = NULL;
	int result;

	if (object)
		closes_count(object);
	/* what never goes is not foretold, but why it stays is to be told */
	if (object && object->generation && session && link_maps_known())
		attempt = attempt_make();
	if (!attempt || !unload_lock_try()) {
		attempt_drop(attempt);
		return close_plain(handle, NULL, caller);
	}
	attempt->handle = handle;
	/* the loader, which has it as open still, would not refuse a call too many */
	if (object->owed && !object->in_flight && !opens_left(object)) {
		unload_unlock();
		attempt_drop(attempt);
		refusal_set_closed(object);
		return -1;
	}
	if (!object->abandoned && opens_left(object) == 1 && attempt_foretell(attempt, object)) {
		result = attempt_run(attempt, caller);
	} else {
		object->in_flight++;
		unload_unlock();
		result = close_plain(handle, object, caller);
	}
	attempt_drop(attempt);
	if (deferred_count)
		deferred_retry(caller);
	return result;
}

struct deferred_search {
	struct object *found;
	uint32_t tried[64]; /* generation records that were looked at in vain */
	unsigned int tried_count;
};

static void deferred_visit(struct object *object, void *data)
{
	struct deferred_search *search = data;
	uint32_t record = object->generation ? generation_at(object->generation)->record : 0;

	if (search->found || !object->owed || object->abandoned || !record)
		return;
	for (unsigned int i = 0; i < search->tried_count; i++)
		if (search->tried[i] == record)
			return;
	/* opened again since: nothing is to be made up for now */
	if (!opens_left(object))
		search->found = object;
}

/* Tries once for each object that waits. */
static void deferred_retry(const struct world_caller *caller)
{
	struct deferred_search search = {0};
	struct attempt *attempt;

	while (search.tried_count < 64 && (attempt = attempt_make())) {
		search.found = NULL;
		if (!unload_lock_try()) {
			attempt_drop(attempt);
			return;
		}
		objects_each(deferred_visit, &search);
		if (!search.found) {
			unload_unlock();
			attempt_drop(attempt);
			return;
		}
		search.tried[search.tried_count++] =
			generation_at(search.found->generation)->record;
		attempt->handle = (void *)search.found->map;
		attempt->deferred = true;
		if (attempt_foretell(attempt, search.found))
			attempt_run(attempt, caller);
		else
			unload_unlock();
		attempt_drop(attempt);
	}
}

static void retry_here(void)
{
	struct world_caller caller;
	int saved = errno;

	if (!deferred_count)
		return;
	world_caller_here(&caller);
	deferred_retry(&caller);
	errno = saved;
}

void unloading_thread_over(void)
{
	retry_here();
}

void unloading_thread_left(void)
{
	retry_here();
}

/* The same for what is opened again.  Enters locked, leaves unlocked. */
static void revive(struct object *object)
{
	struct attempt *attempt = attempt_make();

	if (attempt) {
		attempt_foretell(attempt, object);
		attempt_unmark(attempt);
	}
	unload_unlock();
	if (attempt)
		attempt_undo(attempt);
	attempt_drop(attempt);
	finalizers_undo(object);
}

void unloading_revive(struct object *object, int flags)
{
	struct session_generation *record;

	if (flags & RTLD_NODELETE)
		object->opened_for_ever = true;
	if (!object->owed || object->abandoned || !link_maps_known() || opens_left(object) ||
		!unload_lock_try())
		return;
	record = session_record(SESSION_GENERATIONS, generation_at(object->generation)->record);
	record->how |= SESSION_REVIVED;
	record->revivals++;
	stays_clear(object->generation);
	revive(object);
}

static void dependency_visit(struct object *object, void *data)
{
	struct object **found = data;

	if (object->finalized && !object->owed && !object->in_flight && !object->abandoned &&
		object->generation && !generation_at(object->generation)->goes)
		*found = object;
}

void unloading_before_load(void)
{
	struct object *found, *last = NULL;

	while (deferred_count) {
		found = NULL;
		if (!unload_lock_try())
			return;
		objects_each(dependency_visit, &found);
		unload_unlock();
		if (!found || found == last)
			return;
		last = found;
		finalizers_undo(found);
	}
}

void unloading_fork_child(void)
{
	/* threads that were waited for are not in the child: its next dlclose finds out */
	attempt_fork_child();
}
