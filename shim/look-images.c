/* SPDX-License-Identifier: MIT */
#include "shim/look-images.h"

#include <string.h>

#include "shim/arch.h"
#include "shim/danglings.h"
#include "shim/dead-stacks.h"
#include "shim/freed-chunks.h"
#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/look-ranges.h"
#include "shim/look.h"
#include "shim/objects.h"
#include "shim/roots.h"
#include "shim/session.h"
#include "shim/sorted.h"
#include "shim/sys.h"

#define IMAGES_MOST 1024u
#define MAPPED_MOST 256u
#define FOUND_MOST 8192u
#define TABLE_SIZE 16384u /* a power of two */

/* An image that went. */
struct image {
	uintptr_t start, end, bias, dso;
	uint32_t record;  /* of its generation */
	uint32_t records; /* made for it */
	uint32_t more;	  /* words that there was no room for */
};

/* Within one of these places differ by where they are: an address, a place, a thread. */
enum alike {
	ALIKE_MEMORY, /* of an object: the address; of heaps: all in one */
	ALIKE_BLOCK,
	ALIKE_LOCALS,
	ALIKE_STACK, /* registers too */
};

/* One place, or several that are alike. */
struct pointer {
	uintptr_t word;
	uint64_t what, where; /* which places are alike */
	uint32_t count;
	uint32_t block; /* place of the module's block that it lies in, 0: none */
	struct scan_place root;
};

/* One look at a time. */
static struct {
	const struct world *world;
	struct image images[IMAGES_MOST];
	size_t image_count;
	struct scan_range mapped[MAPPED_MOST]; /* what lies there now */
	size_t mapped_count;
	struct pointer *found;
	uint32_t *table; /* index of one that was found, from 1 */
	size_t found_count;
} work;

static void image_add(const struct generation *generation)
{
	const struct session_generation *record =
		session_record(SESSION_GENERATIONS, generation->record);
	struct image made = {generation->start, generation->end, record->base,
		(uintptr_t)generation->dso, generation->record, 0, 0};
	size_t at = work.image_count;

	for (; at && work.images[at - 1].start > made.start; at--)
		work.images[at] = work.images[at - 1];
	work.images[at] = made;
	work.image_count++;
}

/*
 * Of two that were at the same addresses, one after the other, only the later
 * one can be meant.
 */
static void images_part(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < work.image_count; i++) {
		struct image *last = kept ? &work.images[kept - 1] : NULL;

		if (!last || work.images[i].start >= last->end)
			work.images[kept++] = work.images[i];
		else if (work.images[i].record > last->record)
			*last = work.images[i];
	}
	work.image_count = kept;
	while (work.image_count &&
		work.images[work.image_count - 1].end - work.images[0].start > SCAN_APART)
		work.image_count--;
}

void look_images_begin(void)
{
	work.image_count = work.mapped_count = work.found_count = 0;
	work.found = NULL;
	work.table = NULL;
	for (uint32_t slot = 1; slot < generation_limit(); slot++) {
		const struct generation *generation = generation_at((uint16_t)slot);

		if (generation->state == GENERATION_LOOKED_AT && generation->record &&
			generation->start < generation->end && work.image_count < IMAGES_MOST)
			image_add(generation);
	}
	images_part();
	dead_stacks_begin();
	if (work.image_count)
		freed_chunks_begin();
}

bool look_images_make(const struct world *world)
{
	work.world = world;
	work.found = look_ranges_scratch(FOUND_MOST * sizeof(*work.found));
	work.table = look_ranges_scratch(TABLE_SIZE * sizeof(*work.table));
	return work.found && work.table;
}

void look_images_range(uintptr_t *base, uintptr_t *size)
{
	*base = work.image_count ? work.images[0].start : 0;
	*size = work.image_count ? work.images[work.image_count - 1].end - *base : 0;
}

static struct image *image_of(uintptr_t word)
{
	size_t from = SORTED_COUNT(work.image_count, i, work.images[i].end <= word);
	return from < work.image_count && word >= work.images[from].start ? &work.images[from]
									  : NULL;
}

void look_images_mapped(uintptr_t start, uintptr_t end)
{
	for (size_t i = 0; i < work.image_count; i++) {
		if (work.images[i].end <= start || work.images[i].start >= end)
			continue;
		if (work.mapped_count < MAPPED_MOST)
			work.mapped[work.mapped_count++] = (struct scan_range){start, end};
		else
			work.image_count = 0; /* hopeless: nothing is said of them */
		return;
	}
}

static bool is_mapped(uintptr_t word)
{
	for (size_t i = 0; i < work.mapped_count; i++)
		if (word >= work.mapped[i].start && word < work.mapped[i].end)
			return true;
	return false;
}

/*
 * The C library's entry of an exit handler that was run when the module went,
 * as all are: its kind is free, the rest is left as it was.
 * | kind | function, in disguise | argument | handle of the object |
 */
static bool is_spent_exit(const struct scan_place *place)
{
	for (size_t field = 2; field <= 3; field++) {
		const uintptr_t *entry = (const uintptr_t *)place->address - field;
		uintptr_t function;

		if ((uintptr_t)entry < place->start || (uintptr_t)(entry + 4) > place->end ||
			entry[0] || !image_of(entry[3]) || !work.world->threads[0].tp)
			continue;
		function = arch_pointer_shown(entry[1], work.world->threads[0].tp);
		if (image_of(function) || code_of(function))
			return true;
	}
	return false;
}

static bool is_dso(const struct image *image, uintptr_t word)
{
	return word && word == image->dso;
}

/*
 * The C library's entry of pthread_atfork: those of a module are taken from the
 * list when it goes, and what stands behind the end of the list is left there.
 * | three functions | __dso_handle | (a number, since glibc 2.36) |
 */
static bool is_spent_fork(uintptr_t word, const struct scan_place *place)
{
	const struct image *image = image_of(word);
	const uintptr_t *at = (const uintptr_t *)place->address;

	for (size_t field = 0; field < 4; field++)
		if ((uintptr_t)(at + field + 1) <= place->end && is_dso(image, at[field]))
			return true;
	return false;
}

/* What is found in memory: false when it is no reference. */
static bool memory_counts(struct pointer *pointer)
{
	const struct scan_place *place = &pointer->root;

	switch (look_ranges_owner(place->address)) {
	case LOOK_OWNER_IGNORED:
		return false;
	case LOOK_OWNER_RUNTIME:
		pointer->where = place->address;
		return !is_spent_exit(place) && !is_spent_fork(pointer->word, place);
	case LOOK_OWNER_OBJECT:
		pointer->where = place->address;
		return true;
	case LOOK_OWNER_NONE:
		break;
	}
	/* heaps: all that hold the same pointer are alike */
	pointer->where = place->kind == SCAN_MAPPING_SHARED;
	return place->kind == SCAN_MAPPING_SHARED ||
	       (!is_spent_exit(place) && !freed_chunks_hold(place) && !dead_stacks_hold(place));
}

static bool block_counts(struct pointer *pointer)
{
	struct scan_place *place = &pointer->root;

	pointer->what = ALIKE_BLOCK;
	pointer->where = pointer->block;
	if (pointer->block != HEAP_PLACE_LOADER)
		return !is_spent_exit(place);
	/* of the loader's blocks only thread-locals are anybody's */
	pointer->block = 0;
	place->tid = look_ranges_tls_of(work.world, place->start, place->end);
	place->kind = SCAN_THREAD;
	pointer->what = ALIKE_LOCALS;
	pointer->where = (uint64_t)place->tid;
	return place->tid != 0;
}

static bool pointer_counts(struct pointer *pointer)
{
	if (pointer->block)
		return block_counts(pointer);
	switch (pointer->root.kind) {
	case SCAN_THREAD:
	case SCAN_STACK:
	case SCAN_REGISTER:
		pointer->what = pointer->root.kind == SCAN_THREAD ? ALIKE_LOCALS : ALIKE_STACK;
		pointer->where = (uint64_t)pointer->root.tid;
		return true;
	default:
		return memory_counts(pointer);
	}
}

static bool is_alike(const struct pointer *one, const struct pointer *other)
{
	return one->word == other->word && one->what == other->what && one->where == other->where;
}

void look_images_found(uintptr_t word, const struct scan_place *place, uint32_t block)
{
	struct pointer made = {.word = word, .count = 1, .block = block, .root = *place};
	struct image *image = image_of(word);
	uint64_t hash;

	if (!image || !pointer_counts(&made))
		return;
	hash = (made.word ^ made.where << 20 ^ made.what << 60) * UINT64_C(0x9e3779b97f4a7c15);
	for (size_t at = hash >> 32 & (TABLE_SIZE - 1);; at = (at + 1) & (TABLE_SIZE - 1)) {
		if (!work.table[at]) {
			if (work.found_count == FOUND_MOST) {
				image->more++;
				return;
			}
			work.found[work.found_count++] = made;
			work.table[at] = (uint32_t)work.found_count;
			return;
		}
		if (is_alike(&work.found[work.table[at] - 1], &made)) {
			work.found[work.table[at] - 1].count++;
			return;
		}
	}
}

static void pointer_record(const struct pointer *pointer, struct image *image)
{
	uint64_t offset = pointer->block ? pointer->root.address - pointer->root.start : 0;
	struct session_dangling made = {
		.generation = image->record,
		.kind = SESSION_DANGLING_MEMORY,
		.target = pointer->word - image->bias,
		.count = pointer->count,
		.root = root_record(pointer->block ? LOOK_BLOCK : LOOK_MEMORY, pointer->block,
			offset, &pointer->root),
	};

	image->records++;
	dangling_word(&made);
}

static void pointer_settle(const struct pointer *pointer)
{
	struct image *image = image_of(pointer->word);

	if (is_mapped(pointer->word))
		return;
	if (image->records < DANGLINGS_MOST)
		pointer_record(pointer, image);
	else
		image->more++;
}

void look_images_end(bool done)
{
	/* the words were memory of anybody's, initialised or not */
	arch_valgrind_quiet(true);
	for (size_t i = 0; done && work.image_count && i < work.found_count; i++)
		pointer_settle(&work.found[i]);
	for (size_t i = 0; done && i < work.image_count; i++)
		if (work.images[i].more)
			danglings_more(work.images[i].record, work.images[i].more);
	arch_valgrind_quiet(false);
	if (work.found)
		sys_unmap(work.found, FOUND_MOST * sizeof(*work.found));
	if (work.table)
		sys_unmap(work.table, TABLE_SIZE * sizeof(*work.table));
	work.found = NULL;
	work.table = NULL;
}
