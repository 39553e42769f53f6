/* SPDX-License-Identifier: MIT */
/*
 * Places: a module and one call stack on which it acquired memory, with the
 * totals.  Counting is done per thread, without atomics, in a small table of
 * the session (struct session_counters); what does not fit there is folded
 * into the place's record.
 */
#ifndef RELIB_PLACES_H
#define RELIB_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/session-format.h"
#include "shim/thread.h"

struct object;

/*
 * The place of a stack (return addresses, innermost first) for its owner.
 * Equal stacks give the same place, over all generations of one file content.
 * When the table is full, the owner's place without a stack; 0 when not even
 * that can be made.
 */
uint32_t place_find(struct object *owner, const uintptr_t *pcs, unsigned int count,
	unsigned int owner_frame, bool cut);

/* The slow ways of the two below. */
void place_fold(struct session_counter *counter, uint32_t place);
void place_count_slow(uint32_t place, size_t size, bool freed);

static inline struct session_counter *place_counter(struct thread *thread, uint32_t place)
{
	struct session_counter *counter =
		&thread->counters->entry[place % SESSION_COUNTERS_ENTRIES];

	if (__builtin_expect(counter->place != place, 0))
		place_fold(counter, place);
	return counter;
}

static inline void place_allocated(struct thread *thread, uint32_t place, size_t size)
{
	struct session_counter *counter;

	if (__builtin_expect(!thread->counters, 0)) {
		place_count_slow(place, size, false);
		return;
	}
	counter = place_counter(thread, place);
	counter->alloc_blocks++;
	counter->alloc_bytes += size;
}

static inline void place_freed(struct thread *thread, uint32_t place, size_t size)
{
	struct session_counter *counter;

	if (__builtin_expect(!thread->counters, 0)) {
		place_count_slow(place, size, true);
		return;
	}
	counter = place_counter(thread, place);
	counter->free_blocks++;
	counter->free_bytes += size;
}

/* A table for a thread; NULL when there is none.  Given back, it is folded. */
struct session_counters *place_counters_new(void);
void place_counters_end(struct session_counters *counters);

/* What was acquired at a place so far, all threads' tables included. */
void place_totals(uint32_t place, uint64_t *blocks, uint64_t *bytes);

/* What this object's loads had acquired at the place when asked last, and notes the present. */
struct place_past {
	uint64_t blocks, bytes;
};
struct place_past *place_past(uint32_t place);

/* A code address as a frame of the session. */
uint64_t place_frame(uintptr_t pc);

/* The next place of the same object, from 0; 0 ends. */
uint32_t place_next(uint32_t object_record, uint32_t place);

/*
 * In a forked child, before its first event: gives its session a file of its
 * own, and counts anew.  What the parent's modules had acquired and still have
 * is what the child begins with; what they left before is the parent's to tell.
 */
void places_settle(void);

void places_fork_child(const struct session_counters *mine);

#endif
