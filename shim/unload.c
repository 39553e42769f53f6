/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/look-images.h"
#include "shim/look-mappings.h"
#include "shim/look-semaphores.h"
#include "shim/look-streams.h"
#include "shim/look.h"
#include "shim/object-image.h"
#include "shim/objects.h"
#include "shim/places.h"
#include "shim/roots.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/settle.h"
#include "shim/sys.h"
#include "shim/thread.h"
#include "shim/unload.h"

#define ERAS 4096u	    /* remembered; a power of two below 2^15 */
#define BLOCKS_MOST 131072u /* under quarantine: each keeps 8 bytes of metadata in use */

static struct lock unload_lock;
static bool finished;

/* Bytes under quarantine by era, the oldest first: eras below era_over are over. */
static uint64_t era_bytes[ERAS];
static uint32_t era_blocks[ERAS];
static uint32_t era_now, era_over;
static uint64_t quarantined, quarantined_blocks;

static bool era_is_over(uint16_t era)
{
	return (uint16_t)((uint16_t)era_now - era) > (uint16_t)(era_now - era_over);
}

/* The newest era stays, whatever its size: it was freed just now. */
static void eras_end(void)
{
	while (era_over + 1 < era_now &&
		(quarantined > settings.quarantine || quarantined_blocks > BLOCKS_MOST ||
			era_now - era_over >= ERAS - 1)) {
		quarantined -= era_bytes[era_over % ERAS];
		quarantined_blocks -= era_blocks[era_over++ % ERAS];
	}
}

static struct session_root root_of(const struct look_tally *tally)
{
	const struct look_reference *reference = &tally->reference;

	return root_record(reference->referrer, reference->referrer_place,
		reference->referrer_offset, &reference->root);
}

static struct session_generation *record_of(const struct generation *generation)
{
	return session_record(SESSION_GENERATIONS, generation->record);
}

static void kept_add(struct session_residue *residue, const struct look_tally *tally)
{
	struct session_place *place = session_record(SESSION_PLACES, tally->place);
	struct session_generation *of = session_record(SESSION_GENERATIONS, residue->generation);

	residue->kept_blocks += tally->kept_blocks;
	residue->kept_bytes += tally->kept_bytes;
	residue->runtime_blocks += tally->runtime_blocks;
	residue->runtime_bytes += tally->runtime_bytes;
	place->kept_blocks += tally->kept_blocks;
	place->kept_bytes += tally->kept_bytes;
	place->runtime_blocks += tally->runtime_blocks;
	place->runtime_bytes += tally->runtime_bytes;
	of->kept_blocks += tally->kept_blocks;
	of->kept_bytes += tally->kept_bytes;
	of->runtime_blocks += tally->runtime_blocks;
	of->runtime_bytes += tally->runtime_bytes;
}

/* What a look found nobody to refer to.  first: the unload of that very generation. */
static void leaked_add(struct session_residue *residue, const struct look_tally *tally, bool first)
{
	struct session_place *place = session_record(SESSION_PLACES, tally->place);
	struct session_generation *of = session_record(SESSION_GENERATIONS, residue->generation);

	if (first) {
		residue->leaked_blocks += tally->leaked_blocks;
		residue->leaked_bytes += tally->leaked_bytes;
		place->leaked_blocks += tally->leaked_blocks;
		place->leaked_bytes += tally->leaked_bytes;
		of->leaked_blocks += tally->leaked_blocks;
		of->leaked_bytes += tally->leaked_bytes;
	}
	if (settings.leaks != SESSION_LEAKS_FREE)
		return;
	residue->reclaimed_blocks += tally->leaked_blocks;
	residue->reclaimed_bytes += tally->leaked_bytes;
	place->reclaimed_blocks += tally->leaked_blocks;
	place->reclaimed_bytes += tally->leaked_bytes;
	of->reclaimed_blocks += tally->leaked_blocks;
	of->reclaimed_bytes += tally->leaked_bytes;
}

/* What the generation acquired at the place: all so far, less what those before it did. */
static void residue_allocated(struct session_residue *residue)
{
	uint64_t blocks, bytes;
	struct place_past *past = place_past(residue->place);

	place_totals(residue->place, &blocks, &bytes);
	residue->alloc_blocks = blocks - past->blocks;
	residue->alloc_bytes = bytes - past->bytes;
}

static void tally_first(const struct look_tally *tally, struct generation *generation)
{
	struct session_residue *residue, made = {
						 .generation = generation->record,
						 .place = tally->place,
						 .root = root_of(tally),
					 };
	struct session_generation *record = record_of(generation);
	uint32_t index;

	residue_allocated(&made);
	index = session_add(SESSION_RESIDUES, &made);
	if (!index)
		return;
	if (!record->residue_count++)
		record->residue_first = index;
	residue = session_record(SESSION_RESIDUES, index);
	leaked_add(residue, tally, true);
	kept_add(residue, tally);
}

static void tally_again(const struct look_tally *tally, struct generation *generation)
{
	struct session_generation *record = record_of(generation);

	for (uint32_t i = 0; i < record->residue_count; i++) {
		struct session_residue *residue =
			session_record(SESSION_RESIDUES, record->residue_first + i);

		if (residue->place != tally->place)
			continue;
		leaked_add(residue, tally, false);
		kept_add(residue, tally);
		if (tally->kept_blocks || tally->runtime_blocks)
			residue->root = root_of(tally);
		return;
	}
}

/* Kept is as of the last look: what stood there before is void. */
static void kept_clear(struct generation *generation)
{
	struct session_generation *record = record_of(generation);

	for (uint32_t i = 0; i < record->residue_count; i++) {
		struct session_residue *residue =
			session_record(SESSION_RESIDUES, record->residue_first + i);
		struct session_place *place = session_record(SESSION_PLACES, residue->place);

		place->kept_blocks -= residue->kept_blocks;
		place->kept_bytes -= residue->kept_bytes;
		place->runtime_blocks -= residue->runtime_blocks;
		place->runtime_bytes -= residue->runtime_bytes;
		residue->kept_blocks = residue->kept_bytes = 0;
		residue->runtime_blocks = residue->runtime_bytes = 0;
	}
	record->kept_blocks = record->kept_bytes = 0;
	record->runtime_blocks = record->runtime_bytes = 0;
}

static void each_generation(
	uint8_t state, void (*visit)(struct generation *, uint16_t, void *), void *data)
{
	for (uint32_t slot = 1; slot < generation_limit(); slot++)
		if (generation_at((uint16_t)slot)->state == state &&
			generation_at((uint16_t)slot)->record)
			visit(generation_at((uint16_t)slot), (uint16_t)slot, data);
}

static void visit_dead(struct generation *generation, uint16_t slot, void *data)
{
	kept_clear(generation);
	generation->used = generation->kept = false;
}

struct outcome {
	const struct look *look;
	const struct world_result *world;
	uint64_t took_ns;
};

/* The records of one generation stand together: its tallies are added in one go. */
static void visit_gone(struct generation *generation, uint16_t slot, void *data)
{
	const struct outcome *outcome = data;
	const struct look *look = outcome->look;
	struct session_generation *record = record_of(generation);

	record->stop = outcome->world->method;
	record->stop_errno = outcome->world->error;
	record->looked_bytes = look->bytes;
	record->look_ns = outcome->took_ns;
	record->stop_ns = outcome->world->stopped_ns;
	record->threads = (uint32_t)outcome->world->thread_count;
	if (!look->done)
		return;
	for (size_t i = 0; look->tallies && i < look->tally_size; i++)
		if (look->tallies[i].place && look->tallies[i].generation == slot)
			tally_first(&look->tallies[i], generation);
	for (uint32_t place = 0; (place = place_next(generation->object, place));) {
		struct place_past *past = place_past(place);

		place_totals(place, &past->blocks, &past->bytes);
	}
	__atomic_store_n(&record->state, SESSION_UNLOADED, __ATOMIC_RELEASE);
}

static void visit_settle(struct generation *generation, uint16_t slot, void *data)
{
	if (!generation->settled)
		settle_generation(slot);
	generation->settled = true;
}

/*
 * A module that another thread unloads while we look is not among those: it
 * has a look of its own, when that thread's dlclose returns.
 */
static void visit_begin(struct generation *generation, uint16_t slot, void *data)
{
	generation->state = GENERATION_LOOKED_AT;
}

static void visit_back(struct generation *generation, uint16_t slot, void *data)
{
	generation->state = GENERATION_GONE;
}

static void visit_looked(struct generation *generation, uint16_t slot, void *data)
{
	generation_looked(slot);
}

static void visit_unused(struct generation *generation, uint16_t slot, void *data)
{
	if (!generation->used)
		generation_end(slot);
}

static void outcome_record(const struct outcome *outcome)
{
	const struct look *look = outcome->look;

	each_generation(GENERATION_DEAD, visit_dead, NULL);
	for (size_t i = 0; look->tallies && i < look->tally_size; i++) {
		const struct look_tally *tally = &look->tallies[i];
		struct generation *generation = generation_at(tally->generation);

		if (!tally->place)
			continue;
		if (tally->kept_blocks || tally->runtime_blocks)
			generation->used = true;
		if (tally->kept_blocks)
			generation->kept = true;
		if (generation->state == GENERATION_DEAD)
			tally_again(tally, generation);
	}
}

static void look_run(
	struct look *look, const struct world_caller *caller, struct world_result *world)
{
	if (settings.leaks == SESSION_LEAKS_OFF)
		return;
	look_prepare(look);
	if (!world_stop(caller, look_at_world, look, world) || !look->done) {
		look->done = false;
		if (look->error && !world->error) {
			world->error = look->error;
			world->why = "the memory of the process could not be read";
		}
		session_note(SESSION_NOTE_NOT_STOPPED, 0, 0, 0,
			world->why ? world->why : "the world could not be stopped");
		/* nothing is left that a later look could free: it is over all the same */
		look->given_up = !look_has_candidates();
	}
	look_images_end(look->done);
}

static void quarantine_settle(const struct look *look)
{
	if (look->quarantined_blocks) {
		era_bytes[era_now % ERAS] = look->quarantined;
		era_blocks[era_now++ % ERAS] = look->quarantined_blocks;
		quarantined += look->quarantined;
		quarantined_blocks += look->quarantined_blocks;
	}
	eras_end();
	heap_tidy(era_is_over);
}

bool unload_relieve(void)
{
	bool some = false;

	if (!quarantined || !lock_take(&unload_lock))
		return false;
	if (quarantined) {
		era_over = era_now;
		quarantined = quarantined_blocks = 0;
		heap_tidy(era_is_over);
		some = true;
	}
	lock_give(&unload_lock);
	return some;
}

bool unload_lock_try(void)
{
	return lock_take(&unload_lock);
}

void unload_lock_wait(void)
{
	while (!lock_take(&unload_lock) && !lock_is_mine(&unload_lock))
		;
}

void unload_unlock(void)
{
	lock_give(&unload_lock);
}

void unload_look(const struct world_caller *caller)
{
	struct world_result world = {.method = WORLD_NONE};
	struct look look = {.free_leaked = settings.leaks == SESSION_LEAKS_FREE};
	struct outcome outcome = {&look, &world, 0};
	bool some = false;
	uint64_t from;

	while (!lock_take(&unload_lock))
		if (lock_is_mine(&unload_lock))
			return;
	thread_self.inside++;
	if (session && generation_gone_count()) {
		places_settle();
		each_generation(GENERATION_GONE, visit_begin, NULL);
		from = session_clock();
		look.era = (uint16_t)era_now;
		look_run(&look, caller, &world);
		outcome.took_ns = session_clock() - from;
		if (look.done)
			outcome_record(&outcome);
		look_streams_end(look.done);
		look_semaphores_end(look.done);
		look_mappings_end(look.done, world.why);
		each_generation(GENERATION_LOOKED_AT, visit_gone, &outcome);
		each_generation(GENERATION_LOOKED_AT, visit_settle, NULL);
		/* after a failure they wait for the next look */
		each_generation(GENERATION_LOOKED_AT,
			look.done || look.given_up || settings.leaks == SESSION_LEAKS_OFF
				? visit_looked
				: visit_back,
			NULL);
		if ((look.done || look.given_up) && look_mappings_use(&some))
			each_generation(GENERATION_DEAD, visit_unused, NULL);
		if (look.done)
			quarantine_settle(&look);
		look_end(&look);
	}
	thread_self.inside--;
	lock_give(&unload_lock);
}

static const struct look_tally *tally_find(const struct look *look, uint16_t slot, uint32_t place)
{
	static const struct look_tally none;

	for (size_t i = 0; i < look->tally_size; i++)
		if (look->tallies[i].place == place && look->tallies[i].generation == slot)
			return &look->tallies[i];
	return &none;
}

/* What the program freed itself of the kept blocks since the last look is kept no more. */
static void visit_refresh(struct generation *generation, uint16_t slot, void *data)
{
	struct session_generation *record = record_of(generation);

	for (uint32_t i = 0; i < record->residue_count; i++) {
		struct session_residue *residue =
			session_record(SESSION_RESIDUES, record->residue_first + i);
		const struct look_tally *left = tally_find(data, slot, residue->place);
		struct session_place *place = session_record(SESSION_PLACES, residue->place);
		uint64_t blocks, bytes;

		if (left->kept_blocks >= residue->kept_blocks + residue->runtime_blocks ||
			!residue->kept_blocks)
			continue;
		blocks = left->kept_blocks > residue->runtime_blocks
				 ? left->kept_blocks - residue->runtime_blocks
				 : 0;
		bytes = blocks && left->kept_bytes > residue->runtime_bytes
				? left->kept_bytes - residue->runtime_bytes
				: 0;
		place->kept_blocks -= residue->kept_blocks - blocks;
		place->kept_bytes -= residue->kept_bytes - bytes;
		record->kept_blocks -= residue->kept_blocks - blocks;
		record->kept_bytes -= residue->kept_bytes - bytes;
		residue->kept_blocks = blocks;
		residue->kept_bytes = bytes;
	}
}

/*
 * The loader took it away again without a dlclose: a dlopen that failed, or the
 * C library's own.  With nothing left of it there is nothing to look for.
 */
static void visit_unlooked(struct generation *generation, uint16_t slot, void *data)
{
	const struct look *look = data;

	for (size_t i = 0; i < look->tally_size; i++)
		if (look->tallies[i].place && look->tallies[i].generation == slot)
			return;
	record_of(generation)->state = SESSION_UNLOADED;
}

void unload_finish(void)
{
	struct look look = {.free_leaked = false};

	if (!session || finished || !lock_take(&unload_lock))
		return;
	finished = true;
	thread_self.inside++;
	if (settings.leaks != SESSION_LEAKS_OFF && look_at_candidates(&look)) {
		each_generation(GENERATION_DEAD, visit_refresh, &look);
		each_generation(GENERATION_GONE, visit_unlooked, &look);
	}
	look_end(&look);
	thread_self.inside--;
	lock_give(&unload_lock);
}

static __thread bool fork_locked __attribute__((tls_model("initial-exec")));

void unload_fork_prepare(void)
{
	fork_locked = lock_take(&unload_lock);
}

void unload_fork_parent(void)
{
	/* a signal handler that forks may have interrupted who has it */
	if (!fork_locked)
		return;
	fork_locked = false;
	lock_give(&unload_lock);
}

void unload_fork_child(void)
{
	unload_lock.owner = 0;
	fork_locked = false;
}
