/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/blockers.h"
#include "shim/finalize.h"
#include "shim/finalizers.h"
#include "shim/generation.h"
#include "shim/link-maps.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/object-image.h"
#include "shim/objects.h"
#include "shim/refusal.h"
#include "shim/segv.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/stays.h"
#include "shim/sys.h"
#include "shim/thread.h"
#include "shim/threads.h"
#include "shim/unload.h"
#include "shim/unloading.h"
#include "shim/watchdog.h"

#define GOING_MOST 1024u		 /* objects that go in one dlclose and are looked after */
#define REVIVING_NS UINT64_C(1000000000) /* that a dlopen may take to count itself */

/* One object that goes. */
struct going {
	struct object *object;
	uint32_t record; /* of its generation, 0: not tracked */
	uint16_t generation;
};

/* One dlclose; not on the stack of the thread, which may be small. */
struct attempt {
	struct attempt *next; /* while it is spare */
	uint32_t number;
	void *handle;
	struct object *root;
	uint32_t root_record;
	uint32_t closes; /* calls that the loader is to get */
	bool tracked;	 /* something that goes is a module */
	bool deferred;	 /* made up for, not asked for now */
	size_t count;
	struct blockers blockers;
	struct going going[GOING_MOST]; /* from here on not cleared */
	uint32_t slots[GOING_MOST];
};

static struct attempt *spare;
static struct lock spare_lock;

enum decision { DECISION_GO, DECISION_WAIT, DECISION_REFUSE, DECISION_LATE };

/* Objects that owe the loader a dlclose. */
static _Atomic uint32_t deferred_count;

/* The calls of dlclose that would be left, were all under way done. */
static uint32_t opens_left(const struct object *object, uint32_t closes)
{
	uint32_t opens = link_map_opens(object);
	uint32_t owed = object->owed + object->in_flight + closes;

	return opens > owed ? opens - owed : 0;
}

static bool is_still(const struct going *going)
{
	const struct generation *generation = generation_at(going->generation);

	return going->generation && generation->state == GENERATION_ALIVE &&
	       generation->record == going->record;
}

/* Foretells what goes with the root, and marks it.  With the loader's list held. */
static void attempt_foretell_held(void *data)
{
	struct attempt *attempt = data;
	size_t count = link_maps_going(attempt->root, attempt->slots, GOING_MOST);

	for (size_t i = 0; i < count; i++) {
		struct object *object = object_at(attempt->slots[i]);
		struct generation *generation = generation_at(object->generation);
		struct going *going = &attempt->going[attempt->count];

		*going = (struct going){.object = object};
		if (object->generation && generation->record) {
			/* another thread is at it already */
			if (generation->goes)
				continue;
			generation->goes = attempt->number;
			going->generation = object->generation;
			going->record = generation->record;
			attempt->tracked = true;
		}
		attempt->count++;
	}
}

/* False: nothing goes that is tracked. */
static bool attempt_foretell(struct attempt *attempt, struct object *root)
{
	static uint32_t numbers;

	attempt->root = root;
	attempt->root_record = generation_at(root->generation)->record;
	attempt->number = ++numbers ? numbers : ++numbers;
	link_maps_hold(attempt_foretell_held, attempt);
	return attempt->tracked;
}

static void attempt_unmark(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (is_still(&attempt->going[i]) &&
			generation_at(attempt->going[i].generation)->goes == attempt->number)
			generation_at(attempt->going[i].generation)->goes = 0;
}

/*
 * The arena's, used again: a look knows it for no place of roots, and what
 * blockers say of stacks would look like pointers into what went.
 */
static struct attempt *attempt_make(void)
{
	struct attempt *attempt;

	if (!lock_take(&spare_lock))
		return NULL;
	attempt = spare;
	if (attempt)
		spare = attempt->next;
	lock_give(&spare_lock);
	if (!attempt)
		return arena_take(sizeof(struct attempt));
	memset(attempt, 0, offsetof(struct attempt, going));
	return attempt;
}

static void attempt_drop(struct attempt *attempt)
{
	if (!attempt || !lock_take(&spare_lock))
		return;
	attempt->next = spare;
	spare = attempt;
	lock_give(&spare_lock);
}

static void attempt_look(struct attempt *attempt, const struct world_caller *caller)
{
	attempt->blockers.number = attempt->number;
	attempt->blockers.deferred = attempt->deferred;
	attempt->blockers.watch = settings.threads == SESSION_THREADS_DEFER;
	attempt->blockers.drop_locals = true;
	blockers_find(&attempt->blockers, caller);
	for (size_t i = 0; i < attempt->count; i++) {
		struct session_generation *record;

		if (!attempt->going[i].record)
			continue;
		record = session_record(SESSION_GENERATIONS, attempt->going[i].record);
		record->check_ns += attempt->blockers.stopped_ns;
	}
}

static bool finalizers_left(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && finalizers_are_there(attempt->going[i].object))
			return true;
	return false;
}

static void how_add(const struct attempt *attempt, uint32_t how)
{
	for (size_t i = 0; i < attempt->count; i++) {
		struct session_generation *record;

		if (!attempt->going[i].record)
			continue;
		record = session_record(SESSION_GENERATIONS, attempt->going[i].record);
		record->how |= how;
	}
}

/* Runs the finalizers of all that goes, dependents first.  No lock is held. */
static void attempt_finalize(struct attempt *attempt)
{
	unsigned char closing = thread_self.closing;

	thread_self.closing = FINALIZE_EARLY;
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record)
			finalizers_run(attempt->going[i].object);
	thread_self.closing = closing;
}

/*
 * What goes without a call of __cxa_finalize that we would see is finished
 * before the loader gets the call.  No lock is held.
 */
static void attempt_finish(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++) {
		struct object *object = attempt->going[i].object;

		if (attempt->going[i].record && (object->finalized || !finalizers_finish(object)))
			finalize_finish(attempt->going[i].generation);
	}
}

/*
 * With the option to give up on finalizers, all that is the module's runs here
 * and not in the loader, whose locks could never be given back.
 */
struct watched_work {
	struct attempt *attempt;
	bool finish;
};

static void watched_run(void *data)
{
	struct watched_work *work = data;

	how_add(work->attempt, SESSION_FINALIZED_EARLY);
	attempt_finalize(work->attempt);
	if (work->finish)
		attempt_finish(work->attempt);
}

/* A module may end its threads itself, when it is told in time. */
static void hooks_run(void *data)
{
	const struct attempt *attempt = data;

	for (size_t i = 0; i < attempt->count; i++) {
		const struct going *going = &attempt->going[i];
		uintptr_t hook =
			going->record ? image_function(going->object, "relib_before_unload") : 0;

		if (hook)
			((void (*)(void))hook)();
	}
}

static bool hooks_are_there(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record &&
			image_function(attempt->going[i].object, "relib_before_unload"))
			return true;
	return false;
}

/* What did not come back stays, and is never tried again. */
static void attempt_abandon(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record)
			attempt->going[i].object->abandoned = true;
	stays_note_timeout(attempt->root);
}

/* False: given up, the module stays for ever. */
static bool finalizers_watched(struct attempt *attempt, bool finish)
{
	struct watched_work work = {attempt, finish};
	bool done = watchdog_run(attempt->root_record, attempt->number, settings.timeout_abandon,
		watched_run, &work);

	if (!done)
		attempt_abandon(attempt);
	return done;
}

/* The first look, and a second after finalizers that may have ended the threads.  Locked. */
static enum decision attempt_decide(struct attempt *attempt, const struct world_caller *caller)
{
	struct blockers *blockers = &attempt->blockers;
	bool done;

	if (!attempt->deferred && hooks_are_there(attempt)) {
		unload_unlock();
		done = watchdog_run(attempt->root_record, attempt->number, settings.timeout_abandon,
			hooks_run, attempt);
		unload_lock_wait();
		if (!done) {
			attempt_abandon(attempt);
			return DECISION_LATE;
		}
	}
	attempt_look(attempt, caller);
	if (blockers->count && !blockers->foreign && finalizers_left(attempt)) {
		unload_unlock();
		if (!finalizers_watched(attempt, false)) {
			unload_lock_wait();
			return DECISION_LATE;
		}
		unload_lock_wait();
		attempt_look(attempt, caller);
	}
	if (!blockers->count)
		return DECISION_GO;
	return settings.threads == SESSION_THREADS_REFUSE && !attempt->deferred ? DECISION_REFUSE
										: DECISION_WAIT;
}

/* The loader would leave out what the start files do only once. */
static bool was_revived(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && attempt->going[i].object->revived)
			return true;
	return false;
}

struct close_work {
	struct attempt *attempt;
	int result;
};

static void close_run(void *data)
{
	struct close_work *work = data;
	unsigned char closing = thread_self.closing;

	if (was_revived(work->attempt))
		attempt_finalize(work->attempt);
	thread_self.closing = FINALIZE_UNLOAD;
	if (!settings.timeout_abandon)
		attempt_finish(work->attempt);
	for (uint32_t i = 0; i < work->attempt->closes; i++)
		work->result = next.dlclose(work->attempt->handle);
	thread_self.closing = closing;
}

/* Nobody is in the way: the loader gets what it is owed.  Enters locked, leaves unlocked. */
static int attempt_go(struct attempt *attempt, const struct world_caller *caller)
{
	struct close_work work = {attempt, 0};
	struct object *root = attempt->root;
	struct going self = {.generation = root->generation, .record = attempt->root_record};
	bool given_up;
	int saved;

	attempt->closes = root->owed + !attempt->deferred;
	if (root->owed)
		deferred_count--;
	root->owed = 0;
	root->in_flight += attempt->closes;
	stays_clear(root->generation);
	unload_unlock();
	/* the first late call may come the moment it is unmapped */
	if (settings.guard)
		segv_install();
	given_up = settings.timeout_abandon && !finalizers_watched(attempt, true);
	if (!given_up)
		watchdog_run(attempt->root_record, attempt->number, false, close_run, &work);
	saved = errno;
	unload_lock_wait();
	if (is_still(&self)) {
		root->in_flight -= attempt->closes;
		if (given_up)
			root->owed += attempt->closes;
		else
			stays_note(root);
	}
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && attempt->going[i].record != attempt->root_record &&
			is_still(&attempt->going[i]) && !given_up)
			stays_note(attempt->going[i].object);
	attempt_unmark(attempt);
	stays_refresh();
	unload_unlock();
	if (generation_gone_count())
		unload_look(caller);
	errno = saved;
	return work.result;
}

/* The records of threads that are not the module's, and fresh names.  Locked. */
static void blockers_record(struct blockers *blockers)
{
	threads_names_refresh();
	for (size_t i = 0; i < blockers->count && i < BLOCKERS_MOST; i++)
		if (!blockers->list[i].record)
			blockers->list[i].record = threads_foreign(blockers->list[i].tid);
}

/* What finalizers took down is set up again, dependencies first.  No lock is held. */
static void attempt_undo(struct attempt *attempt)
{
	for (size_t i = attempt->count; i--;)
		if (attempt->going[i].record)
			finalizers_undo(attempt->going[i].object);
}

/* Enters locked, leaves unlocked. */
static void attempt_defer(struct attempt *attempt)
{
	struct object *root = attempt->root;
	struct session_generation *record =
		session_record(SESSION_GENERATIONS, attempt->root_record);

	blockers_record(&attempt->blockers);
	stays_note_threads(root, &attempt->blockers, false);
	if (!attempt->deferred) {
		record->deferrals++;
		if (!root->owed++)
			deferred_count++;
	}
	how_add(attempt, SESSION_WAS_DEFERRED);
	attempt_unmark(attempt);
	unload_unlock();
}

/* The same.  The host goes on using it: it gets it back as it was. */
static void attempt_refuse(struct attempt *attempt)
{
	struct object *root = attempt->root;
	struct session_generation *record =
		session_record(SESSION_GENERATIONS, attempt->root_record);

	blockers_record(&attempt->blockers);
	stays_note_threads(root, &attempt->blockers, true);
	record->refusals++;
	how_add(attempt, SESSION_WAS_REFUSED);
	unload_unlock();
	attempt_undo(attempt);
	/* behind the module's own code, which may use dlerror */
	refusal_set(root, &attempt->blockers);
	unload_lock_wait();
	attempt_unmark(attempt);
	unload_unlock();
}

/* A finalizer did not come back: the module stays.  Enters locked, leaves unlocked. */
static int attempt_give_up(struct attempt *attempt)
{
	if (!attempt->deferred)
		attempt->root->owed++;
	attempt_unmark(attempt);
	unload_unlock();
	return 0;
}

static int attempt_run(struct attempt *attempt, const struct world_caller *caller)
{
	switch (attempt_decide(attempt, caller)) {
	case DECISION_GO:
		return attempt_go(attempt, caller);
	case DECISION_LATE:
		return attempt_give_up(attempt);
	case DECISION_REFUSE:
		attempt_refuse(attempt);
		return -1;
	default:
		attempt_defer(attempt);
		return 0;
	}
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

/*
 * The last call of an object that another thread is at, which makes up for
 * calls that were put off and is just outside the lock: it makes up for this
 * one too, now or later.
 */
static bool close_joins(struct object *object)
{
	const struct generation *generation = generation_at(object->generation);
	struct session_generation *record;

	if (!generation->goes || !object->owed || object->abandoned || opens_left(object, 0) != 1)
		return false;
	record = session_record(SESSION_GENERATIONS, generation->record);
	record->deferrals++;
	record->how |= SESSION_WAS_DEFERRED;
	object->owed++;
	return true;
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
	/* one call too many is the loader's to refuse */
	if (close_joins(object)) {
		result = 0;
		unload_unlock();
	} else if (!object->abandoned && opens_left(object, 0) == 1 &&
		   attempt_foretell(attempt, object)) {
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

static bool is_reviving(const struct object *object)
{
	return object->revived_ns && object->revived_opens == link_map_opens(object) &&
	       session_clock() - object->revived_ns < REVIVING_NS;
}

static void deferred_visit(struct object *object, void *data)
{
	struct deferred_search *search = data;
	uint32_t record = object->generation ? generation_at(object->generation)->record : 0;

	if (search->found || !object->owed || object->abandoned || !record)
		return;
	for (unsigned int i = 0; i < search->tried_count; i++)
		if (search->tried[i] == record)
			return;
	/* opened again since, or just now: nothing is to be made up for */
	if (!opens_left(object, 0) && !is_reviving(object))
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

static bool is_deferred(const struct object *object)
{
	return object->owed && !object->abandoned && !opens_left(object, 0);
}

/*
 * Takes the lock when nobody is at the object; false: it waits for no thread
 * any more, or cannot be had.  A finalizer may wait for us: not for ever.
 */
static bool revive_lock(const struct object *object)
{
	static const struct timespec moment = {0, 100000};
	const struct generation *generation = generation_at(object->generation);
	uint32_t record = generation->record;

	for (unsigned int waits = 0;; waits++) {
		if (!unload_lock_try())
			return false;
		if (!object->generation || generation_at(object->generation) != generation ||
			generation->record != record || !is_deferred(object)) {
			unload_unlock();
			return false;
		}
		if (!generation->goes || thread_self.closing == FINALIZE_EARLY || waits == 10000)
			return true;
		unload_unlock();
		sys_call(SYS_nanosleep, &moment, NULL, 0);
	}
}

void unloading_revive(struct object *object, int flags)
{
	struct session_generation *record;

	if (flags & RTLD_NODELETE)
		object->opened_for_ever = true;
	if (!is_deferred(object) || !link_maps_known() || !revive_lock(object))
		return;
	object->revived_opens = link_map_opens(object);
	object->revived_ns = session_clock();
	record = session_record(SESSION_GENERATIONS, generation_at(object->generation)->record);
	record->how |= SESSION_REVIVED;
	record->revivals++;
	stays_clear(object->generation);
	revive(object);
}

void unloading_fork_child(void)
{
	/* threads that were waited for are not in the child: its next dlclose finds out */
	spare_lock.owner = 0;
}
