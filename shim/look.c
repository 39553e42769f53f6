/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/look.h"
#include "shim/objects.h"
#include "shim/session-file.h"
#include "shim/sys.h"

#define RANGES_MOST 128u
#define RUNTIME_MOST 32u
#define DEFERRED_MOST 65536u
#define TLS_MODULES 65536u

/* A candidate that was reached. */
struct reached {
	struct span *span;
	uint32_t index;
	bool runtime; /* by the C library only */
	uint8_t referrer;
	uint32_t referrer_place;
	uint64_t referrer_offset;
	struct scan_place root;
};

/* All that a look works on; one at a time, the rest is mapped when the world stands. */
static struct {
	struct look *look;
	struct scan scan;
	struct reached *queue;
	size_t queue_count, queue_size, queue_bytes;
	struct scan_place *deferred; /* where the C library refers to candidates */
	uintptr_t *deferred_words;
	size_t deferred_count, deferred_size;
	size_t candidates;
	bool runtime;		   /* the deferred ones are being looked at */
	const struct span *inside; /* the module block that is being read, or NULL */
	uint32_t inside_index;
	/* noted by look_prepare */
	struct scan_range runtime_data[RUNTIME_MOST];
	size_t runtime_count;
	struct scan_range own[RANGES_MOST];
	size_t own_count;
	struct scan_range *tls; /* thread-local blocks of what went, sorted */
	size_t tls_count, tls_size;
	struct scan_range *excluded; /* own and tls, sorted */
	size_t excluded_count;
	bool tls_taken[TLS_MODULES / 64]; /* numbers that a loaded object has now, hashed */
} work;

static bool is_candidate(const struct meta *meta)
{
	uint32_t place = meta->place;

	if (!(place & META_PLACE) || (place & (META_QUARANTINED | META_REPORTED)) ||
		meta->generation == HEAP_GENERATION_NONE)
		return false;
	return generation_at(meta->generation)->state >= GENERATION_LOOKED_AT;
}

/* A block that lives on: its content refers to others. */
static bool is_root(const struct meta *meta)
{
	return (meta->place & META_PLACE) && !(meta->place & (META_QUARANTINED | META_REPORTED)) &&
	       !is_candidate(meta);
}

static void count_visit(struct span *span, void *data)
{
	size_t *count = data;

	for (uint32_t index = 0; index < span->count; index++)
		*count += is_candidate(span->meta + index);
}

static void needed_visit(struct span *span, void *data)
{
	bool *needed = data;

	for (uint32_t index = 0; index < span->count; index++) {
		struct generation *generation;

		if (!is_candidate(span->meta + index))
			continue;
		generation = generation_at(span->meta[index].generation);
		if (generation->state == GENERATION_LOOKED_AT || generation->kept)
			*needed = true;
		else
			generation->used = true;
	}
}

bool look_is_needed(void)
{
	bool needed = false;

	for (uint32_t slot = 1; slot < generation_limit(); slot++)
		generation_at((uint16_t)slot)->used = false;
	heap_walk(true, needed_visit, &needed);
	return needed;
}

static void own_add(uintptr_t start, uintptr_t end)
{
	if (start < end && work.own_count < RANGES_MOST)
		work.own[work.own_count++] = (struct scan_range){start, end};
}

static void object_note(struct object *object, void *data)
{
	if (object->class == CODE_SHIM)
		own_add(object->start, object->end);
	else if ((object->class == CODE_RUNTIME || object->class == CODE_LOADER) &&
		 work.runtime_count < RUNTIME_MOST)
		work.runtime_data[work.runtime_count++] =
			(struct scan_range){object->start, object->end};
	if (object->tls_module)
		work.tls_taken[object->tls_module % (TLS_MODULES / 64)] = true;
}

void look_prepare(struct look *look)
{
	uintptr_t start, end, ranges[RANGES_MOST / 2][2];
	size_t count;

	memset(&work, 0, sizeof(work));
	work.look = look;
	session_file_range(&start, &end);
	own_add(start, end);
	count = heap_ranges(ranges);
	for (size_t i = 0; i < count; i++)
		own_add(ranges[i][0], ranges[i][1]);
	count = arena_ranges(ranges, RANGES_MOST / 2);
	for (size_t i = 0; i < count; i++)
		own_add(ranges[i][0], ranges[i][1]);
	objects_each(object_note, NULL);
}

static void *scratch(size_t size)
{
	void *memory = sys_map(size, PROT_READ | PROT_WRITE);

	if (memory)
		own_add((uintptr_t)memory, (uintptr_t)memory + size);
	return memory;
}

/*
 * Where the block ends.  A thread that has not asked the loader since may still
 * have that of an earlier module of the same number, which was smaller; behind
 * it lies what others have there.
 */
static uintptr_t tls_end(const struct generation *gone, uintptr_t block)
{
	struct span *span = heap_owns((const void *)block) ? heap_span(block) : NULL;
	uintptr_t end = block + gone->tls_size, last;

	if (!span || span->kind == SPAN_FREE)
		return block + gone->tls_least;
	last = span_block(span, span_index(span, block)) + span_block_size(span);
	return end < last ? end : last;
}

/* Thread-local blocks of a module that went: glibc's dtv holds them still. */
static void tls_exclude(const struct generation *gone, uintptr_t thread_pointer)
{
	const uintptr_t *dtv = ((const uintptr_t *const *)thread_pointer)[1];
	uintptr_t block;

	/* dtv[-1] holds the number of entries, each of two words: block, what to free */
	if (!dtv || dtv[-2] < gone->tls_module)
		return;
	block = dtv[2 * gone->tls_module];
	if (block && block != UINTPTR_MAX && work.tls_count < work.tls_size)
		work.tls[work.tls_count++] = (struct scan_range){block, tls_end(gone, block)};
}

/* Sorts by start and joins what overlaps.  Returns how many are left. */
static size_t ranges_sort(struct scan_range *ranges, size_t count)
{
	size_t kept = 0;

	for (size_t gap = count / 2; gap; gap /= 2)
		for (size_t i = gap; i < count; i++) {
			struct scan_range range = ranges[i];
			size_t at = i;

			for (; at >= gap && ranges[at - gap].start > range.start; at -= gap)
				ranges[at] = ranges[at - gap];
			ranges[at] = range;
		}
	for (size_t i = 0; i < count; i++) {
		if (!kept || ranges[i].start > ranges[kept - 1].end)
			ranges[kept++] = ranges[i];
		else if (ranges[i].end > ranges[kept - 1].end)
			ranges[kept - 1].end = ranges[i].end;
	}
	return kept;
}

static void each_gone(
	void (*visit)(const struct generation *, const struct world *), const struct world *world)
{
	for (uint32_t slot = 1; slot < generation_limit(); slot++) {
		const struct generation *generation = generation_at((uint16_t)slot);

		if (generation->state == GENERATION_LOOKED_AT && generation->tls_module &&
			!work.tls_taken[generation->tls_module % (TLS_MODULES / 64)])
			visit(generation, world);
	}
}

static void tls_count(const struct generation *gone, const struct world *world)
{
	work.tls_size += world->thread_count;
}

static void tls_exclude_all(const struct generation *gone, const struct world *world)
{
	for (size_t i = 0; i < world->thread_count; i++)
		if (world->threads[i].tp)
			tls_exclude(gone, world->threads[i].tp);
}

static bool excluded_make(const struct world *world)
{
	size_t size;

	each_gone(tls_count, world);
	/* room for itself and for the mappings that are still to come */
	size = (work.tls_size + RANGES_MOST) * sizeof(struct scan_range);
	work.tls = scratch(work.tls_size * sizeof(struct scan_range) + 1);
	work.excluded = scratch(size);
	if (!work.tls || !work.excluded)
		return false;
	each_gone(tls_exclude_all, world);
	work.tls_count = ranges_sort(work.tls, work.tls_count);
	memcpy(work.excluded, work.own, work.own_count * sizeof(work.own[0]));
	memcpy(work.excluded + work.own_count, work.tls, work.tls_count * sizeof(work.tls[0]));
	work.excluded_count = ranges_sort(work.excluded, work.own_count + work.tls_count);
	return true;
}

/* Whether the block holds a thread-local block of a module that went. */
static bool is_tls_of_gone(uintptr_t start, uintptr_t end)
{
	size_t from = 0, count = work.tls_count;

	while (count) {
		size_t half = count / 2;

		if (work.tls[from + half].end <= start) {
			from += half + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	return from < work.tls_count && work.tls[from].start < end;
}

static bool is_runtime_data(uintptr_t address)
{
	for (size_t i = 0; i < work.runtime_count; i++)
		if (address - work.runtime_data[i].start <
			work.runtime_data[i].end - work.runtime_data[i].start)
			return true;
	return false;
}

static void reach(struct span *span, uint32_t index, const struct scan_place *place)
{
	struct reached *reached = &work.queue[work.queue_count++];

	span->meta[index].place |= META_MARKED;
	*reached = (struct reached){.span = span, .index = index, .root = *place};
	reached->runtime = work.runtime;
	reached->referrer = LOOK_MEMORY;
	if (work.inside) {
		reached->referrer = LOOK_BLOCK;
		reached->referrer_place = work.inside->meta[work.inside_index].place & META_PLACE;
		reached->referrer_offset =
			place->address - span_block(work.inside, work.inside_index);
	}
}

static void word_found(void *data, uintptr_t word, const struct scan_place *place)
{
	struct span *span = heap_span(word);
	uint32_t index;

	if (!span || span->kind == SPAN_FREE || word < span->start)
		return;
	index = span_index(span, word);
	if (index >= span->count || (span->meta[index].place & META_MARKED) ||
		!is_candidate(span->meta + index) || work.queue_count == work.queue_size)
		return;
	if (!work.runtime && !work.inside && place->address && is_runtime_data(place->address)) {
		if (work.deferred_count < work.deferred_size) {
			work.deferred[work.deferred_count] = *place;
			work.deferred_words[work.deferred_count++] = word;
			return;
		}
		/* no room to wait: it is kept all the same */
	}
	reach(span, index, place);
}

static void block_read(struct span *span, uint32_t index)
{
	uintptr_t start = span_block(span, index);
	struct scan_place place = {.kind = SCAN_MAPPING_PRIVATE};
	size_t size = span->kind == SPAN_LARGE ? span->large_size : span->block_size;

	work.inside = span;
	work.inside_index = index;
	scan_words(&work.scan, (const uintptr_t *)start,
		(const uintptr_t *)(start + (size & ~(size_t)7)), &place);
	work.inside = NULL;
	work.look->bytes += size;
}

/* Blocks of living owners.  The loader's are its thread-local blocks among others. */
static void root_visit(struct span *span, void *data)
{
	for (uint32_t index = 0; index < span->count; index++) {
		const struct meta *meta = span->meta + index;
		uintptr_t start = span_block(span, index);
		size_t size = span->kind == SPAN_LARGE ? span->large_size : span->block_size;

		if (!is_root(meta))
			continue;
		if (meta->generation == HEAP_GENERATION_NONE && is_tls_of_gone(start, start + size))
			continue;
		block_read(span, index);
	}
}

/* Everything that the reached ones refer to, and so on. */
static void queue_follow(size_t *next)
{
	for (; *next < work.queue_count; (*next)++)
		block_read(work.queue[*next].span, work.queue[*next].index);
}

static void candidate_visit(struct span *span, void *data)
{
	for (uint32_t index = 0; index < span->count; index++) {
		struct meta *meta = span->meta + index;

		/* a look that broke off may have left its marks */
		if (meta->place & META_MARKED)
			meta->place &= ~META_MARKED;
		work.candidates += is_candidate(meta);
	}
}

static struct look_tally *tally_of(struct look *look, uint16_t generation, uint32_t place)
{
	uint64_t hash = ((uint64_t)generation << 32 | place) * UINT64_C(0x9e3779b97f4a7c15);

	for (size_t at = hash >> 32 & (look->tally_size - 1);;
		at = (at + 1) & (look->tally_size - 1)) {
		struct look_tally *tally = &look->tallies[at];

		if (!tally->place) {
			tally->place = place;
			tally->generation = generation;
		}
		if (tally->place == place && tally->generation == generation)
			return tally;
	}
}

static struct look_tally *tally_of_block(struct look *look, const struct span *span, uint32_t index)
{
	const struct meta *meta = span->meta + index;

	return tally_of(look, meta->generation, meta->place & META_PLACE);
}

static void kept_count(const struct reached *reached)
{
	struct look_tally *tally = tally_of_block(work.look, reached->span, reached->index);
	size_t asked = span_asked(reached->span, reached->index);

	if (reached->runtime) {
		tally->runtime_blocks++;
		tally->runtime_bytes += asked;
	} else {
		tally->kept_blocks++;
		tally->kept_bytes += asked;
	}
	/* the queue holds what others keep before what the C library keeps */
	if (tally->referrer == LOOK_NOBODY) {
		tally->referrer = reached->referrer;
		tally->referrer_place = reached->referrer_place;
		tally->referrer_offset = reached->referrer_offset;
		tally->root = reached->root;
	}
}

static void sweep_visit(struct span *span, void *data)
{
	struct look *look = data;

	for (uint32_t index = 0; index < span->count; index++) {
		struct meta *meta = span->meta + index;
		struct look_tally *tally;

		if (!is_candidate(meta))
			continue;
		if (meta->place & META_MARKED) {
			meta->place &= ~META_MARKED;
			continue;
		}
		tally = tally_of_block(look, span, index);
		tally->leaked_blocks++;
		tally->leaked_bytes += span_asked(span, index);
		if (look->free_leaked) {
			look->quarantined += span_block_size(span);
			look->quarantined_blocks++;
			heap_quarantine(span, index, look->era);
		} else {
			meta->place |= META_REPORTED;
		}
	}
}

static bool tallies_make(struct look *look, size_t candidates)
{
	look->tally_size = 64;
	while (look->tally_size < candidates * 2)
		look->tally_size *= 2;
	look->tallies = scratch(look->tally_size * sizeof(struct look_tally));
	return look->tallies != NULL;
}

static bool memory_make(const struct world *world)
{
	heap_walk(false, candidate_visit, NULL);
	work.queue_size = work.candidates;
	work.queue_bytes = (work.candidates + 1) * sizeof(struct reached);
	work.queue = scratch(work.queue_bytes);
	work.deferred_size = DEFERRED_MOST;
	work.deferred = scratch(DEFERRED_MOST * sizeof(*work.deferred));
	work.deferred_words = scratch(DEFERRED_MOST * sizeof(*work.deferred_words));
	return work.queue && work.deferred && work.deferred_words &&
	       tallies_make(work.look, work.candidates) && excluded_make(world);
}

static void memory_give(void)
{
	if (work.queue)
		sys_unmap(work.queue, work.queue_bytes);
	if (work.deferred)
		sys_unmap(work.deferred, DEFERRED_MOST * sizeof(*work.deferred));
	if (work.deferred_words)
		sys_unmap(work.deferred_words, DEFERRED_MOST * sizeof(*work.deferred_words));
	if (work.tls)
		sys_unmap(work.tls, work.tls_size * sizeof(struct scan_range) + 1);
	if (work.excluded)
		sys_unmap(work.excluded, (work.tls_size + RANGES_MOST) * sizeof(struct scan_range));
}

static void roots_follow(const struct world *world)
{
	size_t next = 0;

	scan_memory(&work.scan, world);
	heap_walk(false, root_visit, NULL);
	queue_follow(&next);
	work.runtime = true;
	for (size_t i = 0; i < work.deferred_count; i++)
		word_found(NULL, work.deferred_words[i], &work.deferred[i]);
	queue_follow(&next);
}

void look_at_world(const struct world *world, void *data)
{
	struct look *look = data;

	if (!memory_make(world)) {
		look->error = ENOMEM;
		return;
	}
	work.scan = (struct scan){
		.base = heap.base,
		.size = heap.used,
		.excluded = work.excluded,
		.excluded_count = work.excluded_count,
		.found = word_found,
	};
	roots_follow(world);
	look->bytes += work.scan.bytes;
	look->error = work.scan.error;
	/* half-seen memory: a reference may have been missed, so nothing is freed */
	if (!look->error) {
		for (size_t i = 0; i < work.queue_count; i++)
			kept_count(&work.queue[i]);
		heap_walk(false, sweep_visit, look);
	}
	memory_give();
	look->done = !look->error;
}

static void kept_visit(struct span *span, void *data)
{
	struct look *look = data;

	for (uint32_t index = 0; index < span->count; index++) {
		struct look_tally *tally;

		if (!is_candidate(span->meta + index))
			continue;
		tally = tally_of_block(look, span, index);
		tally->kept_blocks++;
		tally->kept_bytes += span_asked(span, index);
	}
}

bool look_at_candidates(struct look *look)
{
	size_t count = 0;

	heap_walk(true, count_visit, &count);
	/* others go on freeing meanwhile, and never add candidates */
	if (!tallies_make(look, count))
		return false;
	heap_walk(true, kept_visit, look);
	return true;
}

void look_end(struct look *look)
{
	if (look->tallies)
		sys_unmap(look->tallies, look->tally_size * sizeof(struct look_tally));
	look->tallies = NULL;
}
