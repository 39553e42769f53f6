/* SPDX-License-Identifier: MIT */
/* All blocks at once: looking through them, quarantine, fork. */
#include "shim/heap-internal.h"
#include "shim/sys.h"

#define PAGE ((uintptr_t)4096)
#define TIDY_BATCH 256

void heap_walk(bool locked, void (*visit)(struct span *span, void *data), void *data)
{
	size_t units;

	if (!heap.size || (locked && !lock_take(&heap_units_lock)))
		return;
	units = heap.used >> HEAP_UNIT_SHIFT;
	for (size_t unit = 0; unit < units;) {
		struct span *span = heap.units[unit];

		/* a thread stopped while it cuts a run may leave a stale entry: step over it */
		if (!span || !span->units || span->start != heap.base + (unit << HEAP_UNIT_SHIFT)) {
			unit++;
			continue;
		}
		if (span->kind != SPAN_FREE)
			visit(span, data);
		unit += span->units;
	}
	if (locked)
		lock_give(&heap_units_lock);
}

void heap_quarantine(struct span *span, uint32_t index, uint16_t era)
{
	struct meta made = {.place = (span->meta[index].place & META_PLACE) | META_QUARANTINED};

	made.generation = HEAP_GENERATION_NONE;
	made.era = era;
	__atomic_store(&span->meta[index], &made, __ATOMIC_RELAXED);
	span->quarantined = true;
}

struct tidy {
	bool (*over)(uint16_t era);
	struct span *spans[TIDY_BATCH]; /* with blocks whose era is over */
	unsigned int count;
};

/* Whole pages that lie in quarantined blocks only. */
static void pages_drop(const struct span *span)
{
	uintptr_t from = 0;

	for (uint32_t index = 0; index <= span->count; index++) {
		uintptr_t at = span_block(span, index);

		if (index < span->count && (span->meta[index].place & META_QUARANTINED)) {
			from = from ? from : at;
			continue;
		}
		if (from) {
			uintptr_t start = (from + PAGE - 1) & ~(PAGE - 1), end = at & ~(PAGE - 1);

			if (span->kind == SPAN_LARGE)
				end = start + ((uintptr_t)span->units << HEAP_UNIT_SHIFT);
			if (end > start)
				sys_advise((void *)start, end - start, MADV_DONTNEED);
		}
		from = 0;
	}
}

static bool block_over(const struct span *span, uint32_t index, const struct tidy *tidy)
{
	const struct meta *meta = span->meta + index;

	return (meta->place & META_QUARANTINED) && tidy->over(meta->era);
}

static void tidy_span(struct span *span, void *data)
{
	struct tidy *tidy = data;

	if (span->quarantined)
		pages_drop(span);
	span->quarantined = false;
	for (uint32_t index = 0; index < span->count && tidy->count < TIDY_BATCH; index++)
		if (block_over(span, index, tidy)) {
			tidy->spans[tidy->count++] = span;
			break;
		}
}

/* The span stays ours until its last such block is given back, and not a moment longer. */
static void span_hand_out(struct span *span, const struct tidy *tidy)
{
	uint32_t left = 0, count = span->count;
	struct heap_slot slot;

	for (uint32_t index = 0; index < count; index++)
		left += block_over(span, index, tidy);
	for (uint32_t index = 0; left; index++) {
		if (!block_over(span, index, tidy))
			continue;
		left--;
		slot = (struct heap_slot){(void *)span_block(span, index), span->meta + index};
		__atomic_store_n(&span->meta[index].place, 0, __ATOMIC_RELAXED);
		if (span->kind == SPAN_LARGE)
			heap_large_free(span);
		else
			heap_class_give(span->class, &slot, 1);
	}
}

void heap_tidy(bool (*over)(uint16_t era))
{
	static struct tidy tidy; /* not on the stack of a host's thread, which may be small */

	tidy.over = over;
	do {
		tidy.count = 0;
		heap_walk(true, tidy_span, &tidy);
		for (unsigned int i = 0; i < tidy.count; i++)
			span_hand_out(tidy.spans[i], &tidy);
	} while (tidy.count == TIDY_BATCH);
}

/* Which locks the forking thread got: bit per class, the last for the units. */
static uint64_t fork_held;

void heap_fork_prepare(void)
{
	uint64_t held = 0;

	for (unsigned int class = 0; class < HEAP_CLASSES; class ++)
		if (lock_take(&heap_class_lock[class]))
			held |= UINT64_C(1) << class;
	if (lock_take(&heap_units_lock))
		held |= UINT64_C(1) << HEAP_CLASSES;
	fork_held = held;
}

void heap_fork_parent(void)
{
	uint64_t held = fork_held;

	if (held >> HEAP_CLASSES & 1)
		lock_give(&heap_units_lock);
	for (unsigned int class = HEAP_CLASSES; class --;)
		if (held >> class & 1)
			lock_give(&heap_class_lock[class]);
}

void heap_fork_child(void)
{
	/* a lock that we did not get guards lists in an unknown state: forget those */
	for (unsigned int class = 0; class < HEAP_CLASSES; class ++) {
		if (!(fork_held >> class & 1))
			heap_class_abandon(class);
		heap_class_lock[class].owner = 0;
	}
	if (!(fork_held >> HEAP_CLASSES & 1))
		heap_units_abandon();
	heap_units_lock.owner = 0;
}
