/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/attempt.h"
#include "shim/finalize.h"
#include "shim/finalizers.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/object-image.h"
#include "shim/refusal.h"
#include "shim/segv.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/stays.h"
#include "shim/sys.h"
#include "shim/thread.h"
#include "shim/threads.h"
#include "shim/unload.h"
#include "shim/watchdog.h"

static struct attempt *spare;
static struct lock spare_lock;

enum decision { DECISION_GO, DECISION_WAIT, DECISION_REFUSE, DECISION_LATE };

_Atomic uint32_t deferred_count;

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

bool attempt_foretell(struct attempt *attempt, struct object *root)
{
	static uint32_t numbers;

	attempt->root = root;
	attempt->root_record = generation_at(root->generation)->record;
	attempt->number = ++numbers ? numbers : ++numbers;
	link_maps_hold(attempt_foretell_held, attempt);
	return attempt->tracked;
}

void attempt_unmark(struct attempt *attempt)
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
struct attempt *attempt_make(void)
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

void attempt_drop(struct attempt *attempt)
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

static bool owns_blocker(const struct blockers *blockers, const struct going *going)
{
	if (blockers->count > BLOCKERS_MOST)
		return true;
	for (size_t i = 0; i < blockers->count; i++)
		if (blockers->list[i].owner == going->generation)
			return true;
	return false;
}

/* With the loader's list held. */
static void early_choose_held(void *data)
{
	struct attempt *attempt = data;
	struct going *going = attempt->going;

	for (size_t i = attempt->count; i--;) {
		going[i].early = going[i].object == attempt->root ||
				 owns_blocker(&attempt->blockers, &going[i]);
		for (size_t k = i + 1; k < attempt->count && !going[i].early; k++)
			going[i].early =
				going[k].early && link_map_holds(going[i].object, going[k].object);
	}
}

/*
 * Whose finalizers are to run early: of those that created the threads, and of
 * what uses these.  Others may be needed by a module that comes while this one
 * waits, and are left as they are.
 */
static void early_choose(struct attempt *attempt)
{
	link_maps_hold(early_choose_held, attempt);
}

static bool finalizers_left(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && attempt->going[i].early &&
			finalizers_are_there(attempt->going[i].object))
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

/* Runs the finalizers of what goes, dependents first.  No lock is held. */
static void attempt_finalize(struct attempt *attempt, bool all)
{
	unsigned char closing = thread_self.closing;

	thread_self.closing = FINALIZE_EARLY;
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && (all || attempt->going[i].early))
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
	attempt_finalize(work->attempt, work->finish);
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
	if (blockers->count)
		early_choose(attempt);
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
		attempt_finalize(work->attempt, true);
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
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record)
			stays_clear(attempt->going[i].generation);
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

void attempt_undo(struct attempt *attempt)
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

int attempt_run(struct attempt *attempt, const struct world_caller *caller)
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

void attempt_fork_child(void)
{
	spare_lock.owner = 0;
}
