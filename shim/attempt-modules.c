/* SPDX-License-Identifier: MIT */
/* What runs of the modules that go: hooks, finalizers, and what undoes them. */
#include "shim/attempt.h"
#include "shim/finalize.h"
#include "shim/finalizers.h"
#include "shim/generation.h"
#include "shim/link-maps.h"
#include "shim/object-image.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/stays.h"
#include "shim/thread.h"
#include "shim/unload.h"
#include "shim/watchdog.h"

#define HOLDERS_MOST 64u

bool attempt_is_still(const struct going *going)
{
	const struct generation *generation = generation_at(going->generation);

	return going->generation && generation->state == GENERATION_ALIVE &&
	       generation->record == going->record;
}

void attempt_how(const struct attempt *attempt, uint32_t how)
{
	for (size_t i = 0; i < attempt->count; i++) {
		struct session_generation *record;

		if (!attempt->going[i].record)
			continue;
		record = session_record(SESSION_GENERATIONS, attempt->going[i].record);
		record->how |= how;
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

static void holders_choose(struct attempt *attempt, size_t held)
{
	struct object *holders[HOLDERS_MOST];
	unsigned int count = link_maps_holders(attempt->going[held].object, holders, HOLDERS_MOST);

	for (unsigned int k = 0; k < count; k++)
		for (size_t i = 0; i < held; i++)
			if (attempt->going[i].object == holders[k])
				attempt->going[i].early = true;
}

/* Dependents come first.  With the loader's list held. */
static void early_choose_held(void *data)
{
	struct attempt *attempt = data;

	for (size_t i = 0; i < attempt->count; i++)
		attempt->going[i].early = attempt->going[i].object == attempt->root ||
					  owns_blocker(&attempt->blockers, &attempt->going[i]);
	for (size_t i = attempt->count; i--;)
		if (attempt->going[i].early)
			holders_choose(attempt, i);
}

void attempt_choose_early(struct attempt *attempt)
{
	link_maps_hold(early_choose_held, attempt);
}

bool attempt_has_finalizers(const struct attempt *attempt, bool all)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && (all || attempt->going[i].early) &&
			finalizers_are_there(attempt->going[i].object))
			return true;
	return false;
}

void attempt_finalize(struct attempt *attempt, bool all)
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
void attempt_finish(struct attempt *attempt)
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

	attempt_how(work->attempt, SESSION_FINALIZED_EARLY);
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

bool attempt_has_hooks(const struct attempt *attempt)
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
bool attempt_finalize_watched(struct attempt *attempt, bool finish)
{
	struct watched_work work = {attempt, finish};
	bool done = watchdog_run(attempt->root_record, attempt->number, settings.timeout_abandon,
		watched_run, &work);

	if (!done)
		attempt_abandon(attempt);
	return done;
}

/* The loader would leave out what the start files do only once. */
bool attempt_was_revived(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->count; i++)
		if (attempt->going[i].record && attempt->going[i].object->revived)
			return true;
	return false;
}

/* False: it did not come back.  Enters and leaves locked. */
bool attempt_hooks_watched(struct attempt *attempt)
{
	bool done;

	unload_unlock();
	done = watchdog_run(attempt->root_record, attempt->number, settings.timeout_abandon,
		hooks_run, attempt);
	unload_lock_wait();
	if (!done)
		attempt_abandon(attempt);
	return done;
}

void attempt_undo(struct attempt *attempt)
{
	for (size_t i = attempt->count; i--;) {
		const struct going *going = &attempt->going[i];

		if (!attempt_is_still(going) || going->object->abandoned)
			continue;
		generation_at(going->generation)->finished = false;
		finalizers_undo(going->object);
	}
}
