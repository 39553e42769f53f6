/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/attempt.h"
#include "shim/finalize.h"
#include "shim/finalizers.h"
#include "shim/generation.h"
#include "shim/link-maps.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/objects.h"
#include "shim/opens.h"
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

enum decision {
	DECISION_GO,
	DECISION_WAIT,
	DECISION_REFUSE,
	DECISION_LATE,
	DECISION_STAY, /* it was opened again meanwhile */
};

_Atomic uint32_t attempt_deferrals;

static struct attempt *spare;
static struct lock spare_lock;

uint32_t attempt_opens_left(const struct object *object)
{
	uint32_t opens = link_map_opens(object);
	uint32_t owed = object->owed + object->in_flight;

	return opens > owed ? opens - owed : 0;
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

bool attempt_foretell(struct attempt *attempt, struct object *root)
{
	static uint32_t numbers;

	attempt->root = root;
	attempt->root_record = generation_at(root->generation)->record;
	attempt->number = ++numbers ? numbers : ++numbers;
	if (generation_at(root->generation)->goes)
		return false;
	link_maps_hold(attempt_foretell_held, attempt);
	return attempt->tracked;
}

void attempt_unmark(struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt_is_still(&attempt->going[i]) &&
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

void attempt_fork_child(void)
{
	spare_lock.owner = 0;
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

/*
 * A dlopen that began before the mark was seen is not in the loader's count
 * yet, and must not find a module whose finalizers ran.  No lock is held.
 */
static void openers_wait(const struct object *root)
{
	static const struct timespec moment = {0, 1000000};

	while (!attempt_opens_left(root) && opens_are_coming(root))
		sys_call(SYS_nanosleep, &moment, NULL, 0);
}

/* Finalizers that may end the threads, and a second look.  Enters and leaves locked. */
static enum decision attempt_early(struct attempt *attempt, const struct world_caller *caller)
{
	bool stay, done = true;

	unload_unlock();
	openers_wait(attempt->root);
	stay = attempt_opens_left(attempt->root);
	if (!stay)
		done = attempt_finalize_watched(attempt, false);
	unload_lock_wait();
	if (!done)
		return DECISION_LATE;
	if (stay || attempt_opens_left(attempt->root))
		return DECISION_STAY;
	attempt_look(attempt, caller);
	return DECISION_GO;
}

/* Locked. */
static enum decision attempt_decide(struct attempt *attempt, const struct world_caller *caller)
{
	struct blockers *blockers = &attempt->blockers;
	enum decision decision = DECISION_GO;

	if (!attempt->deferred && attempt_has_hooks(attempt)) {
		if (!attempt_hooks_watched(attempt))
			return DECISION_LATE;
		if (attempt_opens_left(attempt->root))
			return DECISION_STAY;
	}
	attempt_look(attempt, caller);
	if (blockers->count)
		attempt_choose_early(attempt);
	if (blockers->count && !blockers->foreign && attempt_has_finalizers(attempt, false))
		decision = attempt_early(attempt, caller);
	if (decision != DECISION_GO)
		return decision;
	if (blockers->count)
		return settings.threads == SESSION_THREADS_REFUSE && !attempt->deferred
			       ? DECISION_REFUSE
			       : DECISION_WAIT;
	/* its finalizers are about to run outside the loader's lock too */
	if (attempt_was_revived(attempt) && attempt_has_finalizers(attempt, true)) {
		unload_unlock();
		openers_wait(attempt->root);
		unload_lock_wait();
		if (attempt_opens_left(attempt->root))
			return DECISION_STAY;
	}
	return DECISION_GO;
}

struct close_work {
	struct attempt *attempt;
	int result;
};

static void close_run(void *data)
{
	struct close_work *work = data;
	unsigned char closing = thread_self.closing;

	if (attempt_was_revived(work->attempt))
		attempt_finalize(work->attempt, true);
	thread_self.closing = FINALIZE_UNLOAD;
	if (!settings.timeout_abandon)
		attempt_finish(work->attempt);
	for (uint32_t i = 0; i < work->attempt->closes; i++)
		work->result = next.dlclose(work->attempt->handle);
	thread_self.closing = closing;
}

/* What the loader kept though it was foretold to go says why.  Locked. */
static void stayed_note(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt_is_still(&attempt->going[i]))
			stays_note(attempt->going[i].object);
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
	root->in_flight += root->owed;
	root->owed = 0;
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record)
			stays_clear(attempt->going[i].generation);
	unload_unlock();
	/* the first late call may come the moment it is unmapped */
	if (settings.guard)
		segv_install();
	given_up = settings.timeout_abandon && !attempt_finalize_watched(attempt, true);
	if (!given_up)
		watchdog_run(attempt->root_record, attempt->number, false, close_run, &work);
	saved = errno;
	/* opened again at the last moment, or held by what came since */
	if (!given_up)
		attempt_undo(attempt);
	unload_lock_wait();
	if (attempt_is_still(&self)) {
		root->in_flight -= attempt->closes;
		if (given_up)
			root->owed += attempt->closes;
	}
	if (!given_up)
		stayed_note(attempt);
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
		root->in_flight--;
		root->owed++;
		attempt_deferrals++;
	}
	attempt_how(attempt, SESSION_WAS_DEFERRED);
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
	attempt_how(attempt, SESSION_WAS_REFUSED);
	unload_unlock();
	attempt_undo(attempt);
	/* behind the module's own code, which may use dlerror */
	refusal_set(root, &attempt->blockers);
	unload_lock_wait();
	root->in_flight--;
	attempt_unmark(attempt);
	unload_unlock();
}

/* A finalizer did not come back: the module stays.  Enters locked, leaves unlocked. */
static int attempt_give_up(struct attempt *attempt)
{
	if (!attempt->deferred) {
		attempt->root->in_flight--;
		attempt->root->owed++;
	}
	attempt_unmark(attempt);
	unload_unlock();
	return 0;
}

/* It is in use again: as if no finalizer had run.  Enters locked, leaves unlocked. */
static int attempt_stay(struct attempt *attempt, const struct world_caller *caller)
{
	struct object *root = attempt->root;

	unload_unlock();
	attempt_undo(attempt);
	unload_lock_wait();
	attempt_unmark(attempt);
	unload_unlock();
	return attempt->deferred ? 0 : attempt_plain(attempt->handle, root, caller);
}

int attempt_run(struct attempt *attempt, const struct world_caller *caller)
{
	if (!attempt->deferred)
		attempt->root->in_flight++;
	switch (attempt_decide(attempt, caller)) {
	case DECISION_GO:
		return attempt_go(attempt, caller);
	case DECISION_LATE:
		return attempt_give_up(attempt);
	case DECISION_REFUSE:
		attempt_refuse(attempt);
		return -1;
	case DECISION_STAY:
		return attempt_stay(attempt, caller);
	default:
		attempt_defer(attempt);
		return 0;
	}
}

int attempt_plain(void *handle, struct object *object, const struct world_caller *caller)
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
		if (attempt_is_still(&self)) {
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
