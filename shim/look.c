/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/look-images.h"
#include "shim/look-mappings.h"
#include "shim/look-ranges.h"
#include "shim/look-semaphores.h"
#include "shim/look-streams.h"
#include "shim/look.h"
#include "shim/settings.h"
#include "shim/signal-stacks.h"
#include "shim/sys.h"
#include "shim/thread-locals.h"
#include "shim/threads.h"

#define DEFERRED_MOST 65536u

/* A candidate that was reached. */
struct reached {
	struct look_mapping *mapping; /* NULL: a block */
	struct span *span;
	uint32_t index;
	bool closes;			 /* only streams that are to be closed refer to it */
	struct look_reference reference; /* of a block */
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
	bool runtime;	       /* the deferred ones are being looked at */
	bool closing;	       /* so are streams that are to be closed */
	uint32_t inside_place; /* of the module's block or mapping that is being read, or 0 */
	uintptr_t inside_start;
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

static void left_visit(struct span *span, void *data)
{
	bool *left = data;

	for (uint32_t index = 0; index < span->count; index++) {
		struct generation *generation;

		if (!is_candidate(span->meta + index))
			continue;
		generation = generation_at(span->meta[index].generation);
		if (generation->state == GENERATION_LOOKED_AT || generation->kept)
			*left = true;
		else
			generation->used = true;
	}
}

bool look_has_candidates(void)
{
	bool left = false;

	for (uint32_t slot = 1; slot < generation_limit(); slot++)
		generation_at((uint16_t)slot)->used = false;
	heap_walk(true, left_visit, &left);
	return !look_mappings_use(&left) || left;
}

void look_prepare(struct look *look)
{
	memset(&work, 0, sizeof(work));
	work.look = look;
	look_ranges_begin();
	look_images_begin();
	look_mappings_begin();
	look_streams_begin();
	look_semaphores_begin();
}

static struct look_reference reference_at(const struct scan_place *place)
{
	struct look_reference reference = {
		.runtime = work.runtime || work.closing,
		.referrer = LOOK_MEMORY,
		.root = *place,
	};

	if (work.inside_place) {
		reference.referrer = LOOK_BLOCK;
		reference.referrer_place = work.inside_place;
		reference.referrer_offset = place->address - work.inside_start;
	}
	return reference;
}

/* True when what the C library refers to is put off. */
static bool is_deferred(uintptr_t word, const struct scan_place *place)
{
	if (work.runtime || !place->address)
		return false;
	if ((work.inside_place || !look_ranges_is_runtime(place->address)) &&
		!look_streams_listed(word, place))
		return false;
	/* no room to wait: it is kept all the same */
	if (work.deferred_count == work.deferred_size)
		return false;
	work.deferred[work.deferred_count] = *place;
	work.deferred_words[work.deferred_count++] = word;
	return true;
}

/*
 * The loader maps files to read them and keeps their addresses when it has
 * unmapped them; others' mappings it does not use.
 */
static void mapping_found(
	struct look_mapping *mapping, uintptr_t word, const struct scan_place *place)
{
	if (mapping->reached || look_ranges_is_loader(place->address) ||
		work.queue_count == work.queue_size || is_deferred(word, place))
		return;
	mapping->reached = true;
	mapping->reference = reference_at(place);
	work.queue[work.queue_count++] = (struct reached){.mapping = mapping};
}

static void block_found(uintptr_t word, const struct scan_place *place)
{
	struct span *span = heap_span(word);
	uint32_t index;

	if (!span || span->kind == SPAN_FREE || word < span->start)
		return;
	index = span_index(span, word);
	if (index >= span->count || (span->meta[index].place & META_MARKED) ||
		!is_candidate(span->meta + index) || work.queue_count == work.queue_size ||
		look_streams_freed(word, place) || is_deferred(word, place))
		return;
	span->meta[index].place |= META_MARKED;
	work.queue[work.queue_count++] = (struct reached){.span = span,
		.index = index,
		.closes = work.closing,
		.reference = reference_at(place)};
}

static void semaphore_found(uintptr_t word, const struct scan_place *place)
{
	struct look_reference reference = reference_at(place);

	if (!look_semaphores_recorded(word, place) && !reference.runtime &&
		(work.inside_place || !look_ranges_is_runtime(place->address)))
		look_semaphores_kept(word, &reference);
}

static void word_found(void *data, uintptr_t word, const struct scan_place *place)
{
	struct look_mapping *mapping;

	if (word - work.scan.base < work.scan.size) {
		block_found(word, place);
		return;
	}
	mapping = look_mappings_at(word);
	if (mapping)
		mapping_found(mapping, word, place);
	else if (look_semaphores_at(word))
		semaphore_found(word, place);
	else
		look_images_found(word, place, work.inside_place);
}

static void block_read(struct span *span, uint32_t index)
{
	uintptr_t start = span_block(span, index);
	/* what its class has beyond that was left by former owners */
	size_t size = span_asked(span, index);
	struct scan_place place = {
		.kind = SCAN_MAPPING_PRIVATE,
		.start = start,
		.end = start + size,
	};

	work.inside_place = span->meta[index].place & META_PLACE;
	work.inside_start = start;
	scan_words(&work.scan, (const uintptr_t *)start,
		(const uintptr_t *)(start + (size & ~(size_t)7)), &place);
	work.inside_place = 0;
	work.look->bytes += size;
}

static void mapping_read(const struct look_mapping *mapping)
{
	work.inside_place = look_mapping_place(mapping);
	work.inside_start = mapping->start;
	look_mapping_read(mapping, &work.scan);
	work.inside_place = 0;
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
		if (meta->generation == HEAP_GENERATION_NONE &&
			look_ranges_is_tls(start, start + size))
			continue;
		block_read(span, index);
	}
}

/* Everything that the reached ones refer to, and so on. */
static void queue_follow(size_t *next)
{
	for (; *next < work.queue_count; (*next)++) {
		const struct reached *reached = &work.queue[*next];

		if (reached->mapping)
			mapping_read(reached->mapping);
		else
			block_read(reached->span, reached->index);
	}
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
	const uintptr_t block = span_block(reached->span, reached->index);
	size_t asked = span_asked(reached->span, reached->index);
	struct look_tally *tally;

	if ((reached->closes && look_streams_frees(block)) ||
		look_semaphores_frees(block, asked))
		return;
	if (!reached->reference.runtime)
		look_streams_kept(block, &reached->reference);
	tally = tally_of_block(work.look, reached->span, reached->index);
	if (reached->reference.runtime) {
		tally->runtime_blocks++;
		tally->runtime_bytes += asked;
	} else {
		tally->kept_blocks++;
		tally->kept_bytes += asked;
	}
	/* the queue holds what others keep before what the C library keeps */
	if (tally->reference.referrer == LOOK_NOBODY)
		tally->reference = reached->reference;
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
	look->tallies = look_ranges_scratch(look->tally_size * sizeof(struct look_tally));
	return look->tallies != NULL;
}

static bool memory_make(const struct world *world)
{
	heap_walk(false, candidate_visit, NULL);
	if (!look_images_make(world) || !look_mappings_make(world) || !look_streams_make())
		return false;
	work.queue_size = work.candidates + look_mappings_count();
	work.queue_bytes = (work.queue_size + 1) * sizeof(struct reached);
	work.queue = look_ranges_scratch(work.queue_bytes);
	work.deferred_size = DEFERRED_MOST;
	work.deferred = look_ranges_scratch(DEFERRED_MOST * sizeof(*work.deferred));
	work.deferred_words = look_ranges_scratch(DEFERRED_MOST * sizeof(*work.deferred_words));
	return work.queue && work.deferred && work.deferred_words &&
	       tallies_make(work.look, work.candidates) && look_ranges_make(world);
}

static void memory_give(void)
{
	if (work.queue)
		sys_unmap(work.queue, work.queue_bytes);
	if (work.deferred)
		sys_unmap(work.deferred, DEFERRED_MOST * sizeof(*work.deferred));
	if (work.deferred_words)
		sys_unmap(work.deferred_words, DEFERRED_MOST * sizeof(*work.deferred_words));
	look_ranges_end();
}

/* What only relib's own records refer to, which are not read. */
static void hidden_found(uintptr_t word, int tid)
{
	const struct scan_place place = {.kind = SCAN_THREAD, .tid = tid};

	if (word - work.scan.base < work.scan.size || look_mappings_at(word) ||
		look_semaphores_at(word))
		word_found(NULL, word, &place);
}

static void memory_mapped(void *data, uintptr_t start, uintptr_t end)
{
	look_images_mapped(start, end);
}

static void memory_left_out(void *data, uintptr_t start, uintptr_t end, bool shared)
{
	look_mappings_left_out(start, end, shared);
}

/* What only streams refer to that will be closed is needed for that, and goes with them. */
static void streams_reach(void)
{
	const struct scan_place place = {.kind = SCAN_MAPPING_PRIVATE};
	uintptr_t block;

	work.closing = settings.fds == SESSION_FDS_CLOSE;
	for (size_t i = 0; work.closing && (block = look_streams_block(i)); i++)
		block_found(block, &place);
}

static void roots_follow(const struct world *world)
{
	size_t next = 0;

	scan_memory(&work.scan, world);
	threads_arguments(hidden_found);
	thread_locals_objects(hidden_found);
	signal_stacks_each(hidden_found);
	heap_walk(false, root_visit, NULL);
	queue_follow(&next);
	streams_reach();
	queue_follow(&next);
	work.closing = false;
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
		memory_give();
		return;
	}
	work.scan = (struct scan){
		.base = heap.base,
		.size = heap.used,
		.found = word_found,
		.mapped = memory_mapped,
	};
	look_images_range(&work.scan.other_base, &work.scan.other_size);
	if (look_mappings_count()) {
		look_mappings_range(&work.scan);
		work.scan.left_out = memory_left_out;
	}
	look_semaphores_range(&work.scan);
	work.scan.excluded = look_ranges_excluded(&work.scan.excluded_count);
	roots_follow(world);
	look->bytes += work.scan.bytes;
	look->error = work.scan.error;
	/* half-seen memory: a reference may have been missed, so nothing is freed */
	if (!look->error) {
		for (size_t i = 0; i < work.queue_count; i++)
			if (work.queue[i].span)
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
