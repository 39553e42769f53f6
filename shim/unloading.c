/* SPDX-License-Identifier: MIT */
#include "shim/unloading.h"

#include <dlfcn.h>
#include <errno.h>

#include "shim/attempt.h"
#include "shim/finalize.h"
#include "shim/finalizers.h"
#include "shim/generation.h"
#include "shim/link-maps.h"
#include "shim/opens.h"
#include "shim/refusal.h"
#include "shim/session.h"
#include "shim/stays.h"
#include "shim/sys.h"
#include "shim/thread.h"
#include "shim/threads.h"
#include "shim/unload.h"

#define WAITS 3000u   /* of a millisecond, for another thread's attempt, which may wait too */
#define LOCK_TRIES 5u /* of a second */

/* What waits was passed over by a thread that could not attempt it: who can does it again. */
static _Atomic bool missed;

static struct session_generation *record_of(const struct object *object)
{
	const struct generation *generation = generation_at(object->generation);

	return object->generation && generation->record
		       ? session_record(SESSION_GENERATIONS, generation->record)
		       : NULL;
}

/* Unloads take their time with many threads, and to go past them is not safe. */
static bool lock_try(void)
{
	for (unsigned int i = 0; i < LOCK_TRIES; i++)
		if (unload_lock_try())
			return true;
	return false;
}

/*
 * Another thread attempts to unload the object; or it closes it, which the
 * loader has counted or not.
 */
static bool is_busy(const struct object *object, bool closing)
{
	return generation_at(object->generation)->goes ||
	       (closing && object->in_flight && attempt_opens_left(object) <= 1);
}

/*
 * Waits until it is not busy.  Not for ever, as the other may wait for what the
 * caller has: the loader's lock, or the end of this thread.  Enters locked;
 * false: not locked any more.
 */
static bool others_wait(const struct object *object, uint32_t record, bool closing)
{
	static const struct timespec moment = {0, 1000000};

	for (unsigned int i = 0; i < WAITS; i++) {
		if (generation_at(object->generation)->record != record ||
			thread_self.closing != FINALIZE_NOT || !is_busy(object, closing))
			return true;
		unload_unlock();
		sys_call(SYS_nanosleep, &moment, NULL, 0);
		if (!lock_try())
			return false;
	}
	return true;
}

static void closes_count(const struct object *object)
{
	struct session_generation *record = record_of(object);

	if (record)
		record->closes++;
}

/* The last open one, and another thread is at it still: that thread does this too.  Locked. */
static void hand_over(struct object *object)
{
	struct session_generation *record = record_of(object);

	record->deferrals++;
	record->how |= SESSION_WAS_DEFERRED;
	object->owed++;
	attempt_deferrals++;
	missed = true;
}

/* What its finalizers took down is set up again.  Locked, and again when it returns. */
static void revive(struct object *object)
{
	struct attempt *attempt = attempt_make();

	if (!attempt)
		return;
	if (!attempt_foretell(attempt, object)) {
		/* others hold it by now: it does not go, but it must not be attempted either */
		attempt->going[0].object = object;
		attempt->going[0].generation = object->generation;
		attempt->going[0].record = generation_at(object->generation)->record;
		attempt->count = 1;
		generation_at(object->generation)->goes = attempt->number;
	}
	unload_unlock();
	attempt_undo(attempt);
	unload_lock_wait();
	attempt_unmark(attempt);
	attempt_drop(attempt);
}

/* Locked when entered. */
static int close_object(
	struct object *object, struct attempt *attempt, const struct world_caller *caller)
{
	uint32_t opens = link_map_opens(object);

	/* the loader still counts those that it did not get, and would unmap what is in use */
	if (opens && opens <= object->owed) {
		unload_unlock();
		refusal_not_open(object);
		return -1;
	}
	if (opens && attempt_opens_left(object) <= 1 && !object->abandoned) {
		if (is_busy(object, true)) {
			hand_over(object);
			unload_unlock();
			return 0;
		}
		if (attempt_foretell(attempt, object))
			return attempt_run(attempt, caller);
	}
	object->in_flight++;
	unload_unlock();
	return attempt_plain(attempt->handle, object, caller);
}

static void deferred_retry(const struct world_caller *caller);

int unloading_close(void *handle, const struct world_caller *caller)
{
	struct object *object = generation_alive ? objects_of_map(handle) : NULL;
	uint32_t record = object ? generation_at(object->generation)->record : 0;
	struct attempt *attempt = NULL;
	int result;

	opens_over();
	if (object)
		closes_count(object);
	/* what never goes is not foretold, but why it stays is to be told */
	if (object && object->generation && session && link_maps_known())
		attempt = attempt_make();
	if (!attempt || !lock_try() || !others_wait(object, record, true)) {
		attempt_drop(attempt);
		return attempt_plain(handle, NULL, caller);
	}
	attempt->handle = handle;
	if (object->map == handle && generation_at(object->generation)->record == record) {
		result = close_object(object, attempt, caller);
	} else {
		unload_unlock();
		result = attempt_plain(handle, NULL, caller);
	}
	attempt_drop(attempt);
	if (attempt_deferrals)
		deferred_retry(caller);
	return result;
}

struct deferred_search {
	struct object *found;
	uint32_t tried[64]; /* generation records that were looked at in vain */
	unsigned int tried_count;
	uint32_t waiting;
	bool passed_over;
};

static void deferred_visit(struct object *object, void *data)
{
	struct deferred_search *search = data;
	uint32_t record = object->generation ? generation_at(object->generation)->record : 0;

	if (!object->owed || object->abandoned || !record)
		return;
	search->waiting++;
	for (unsigned int i = 0; i < search->tried_count; i++)
		if (search->tried[i] == record)
			return;
	/* opened again since: nothing is to be made up for now; who closes it comes here after */
	if (search->found || attempt_opens_left(object) ||
		(object->in_flight && !generation_at(object->generation)->goes))
		return;
	if (generation_at(object->generation)->goes) {
		missed = search->passed_over = true;
		return;
	}
	/* each thread that ends comes here: only the last need stop the others */
	if (!finalizers_are_there(object) && threads_left(object->generation))
		return;
	search->found = object;
}

/* False: no more for now. */
static bool deferred_next(struct deferred_search *search, const struct world_caller *caller)
{
	struct attempt *attempt = search->tried_count < 64 ? attempt_make() : NULL;

	search->found = NULL;
	search->waiting = 0;
	if (!attempt || !lock_try()) {
		missed = search->passed_over = true;
		attempt_drop(attempt);
		return false;
	}
	objects_each(deferred_visit, search);
	if (!search->found) {
		attempt_deferrals = search->waiting;
		unload_unlock();
		attempt_drop(attempt);
		return false;
	}
	search->tried[search->tried_count++] = generation_at(search->found->generation)->record;
	attempt->handle = (void *)search->found->map;
	attempt->deferred = true;
	if (attempt_foretell(attempt, search->found))
		attempt_run(attempt, caller);
	else
		unload_unlock();
	attempt_drop(attempt);
	return true;
}

/* Tries once for each object that waits, and once more for what others left to us meanwhile. */
static void deferred_retry(const struct world_caller *caller)
{
	struct deferred_search search;

	do {
		search = (struct deferred_search){0};
		missed = false;
		while (deferred_next(&search, caller))
			;
	} while (missed && !search.passed_over);
}

static void retry_here(void)
{
	struct world_caller caller;
	int saved = errno;

	if (!attempt_deferrals)
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

/* Its unload was deferred, or refused after its finalizers ran. */
static void revive_owing(struct object *object)
{
	if (object->owed && !attempt_opens_left(object)) {
		record_of(object)->how |= SESSION_REVIVED;
		record_of(object)->revivals++;
		stays_clear(object->generation);
	}
	if (object->finalized)
		revive(object);
}

bool unloading_revive(struct object *object, uint32_t record, int flags)
{
	struct generation *generation = generation_at(object->generation);
	bool waits = __atomic_load_n(&generation->goes, __ATOMIC_SEQ_CST) || object->owed ||
		     object->finalized;

	if (!session || object->abandoned)
		return true;
	if (waits) {
		/* who unloads it waits for those that are announced */
		opens_over();
		if (!link_maps_known() || !lock_try() || !others_wait(object, record, false)) {
			opens_again();
			return true;
		}
		generation = generation_at(object->generation);
		if (generation->record == record && !generation->goes)
			revive_owing(object);
		opens_again();
		unload_unlock();
	}
	if (generation_at(object->generation)->record != record)
		return false;
	if (flags & RTLD_NODELETE)
		object->opened_for_ever = true;
	return true;
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

	while (attempt_deferrals) {
		found = NULL;
		if (!lock_try())
			return;
		objects_each(dependency_visit, &found);
		if (found && found != last)
			revive(found);
		unload_unlock();
		if (!found || found == last)
			return;
		last = found;
	}
}

static void forked_visit(struct object *object, void *data)
{
	object->in_flight = 0;
	generation_at(object->generation)->goes = 0;
}

void unloading_fork_child(void)
{
	attempt_fork_child();
	/* threads that were waited for are not in the child: its next dlclose finds out */
	if (thread_self.closing == FINALIZE_NOT)
		objects_each(forked_visit, NULL);
}
