/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/keys.h"
#include "shim/look-mappings.h"
#include "shim/look-ranges.h"
#include "shim/objects.h"
#include "shim/session-file.h"
#include "shim/sorted.h"
#include "shim/sys.h"

#define PAGE ((uintptr_t)4096)
#define RANGES_MOST 128u
#define RUNTIME_MOST 32u
#define STALE_MOST 4096u
#define TLS_MODULES 1024u /* numbers are hashed into so many */

/* One look at a time. */
static struct {
	struct scan_range runtime_data[RUNTIME_MOST];
	size_t runtime_count;
	struct scan_range loader;
	struct scan_range own[RANGES_MOST];
	size_t own_count;
	struct scan_range *tls; /* thread-local blocks of what went, sorted */
	size_t tls_count, tls_size;
	struct scan_range *stale; /* values of keys of what went, sorted */
	size_t stale_count;
	size_t mapping_count;
	struct scan_range *excluded; /* own, tls, stale and mappings, sorted */
	size_t excluded_count;
	bool tls_taken[TLS_MODULES]; /* numbers that a loaded object has now */
	struct owned {
		struct scan_range range;
		enum look_owner owner;
	} * objects; /* all that are loaded */
	size_t object_count, object_size;
} work;

static void own_add(uintptr_t start, uintptr_t end)
{
	if (start < end && work.own_count < RANGES_MOST)
		work.own[work.own_count++] = (struct scan_range){start, end};
}

static enum look_owner owner_of(const struct object *object)
{
	if (object->class == CODE_LOADER || object->class == CODE_SHIM || object->unwinder)
		return LOOK_OWNER_IGNORED;
	return object->class == CODE_RUNTIME ? LOOK_OWNER_RUNTIME : LOOK_OWNER_OBJECT;
}

static void object_count(struct object *object, void *data)
{
	work.object_size++;
}

static void object_note(struct object *object, void *data)
{
	if (work.objects && work.object_count < work.object_size)
		work.objects[work.object_count++] = (struct owned){
			.range = {object->start, object->end},
			.owner = owner_of(object),
		};
	if (object->class == CODE_SHIM)
		own_add(object->start, object->end);
	else if ((object->class == CODE_RUNTIME || object->class == CODE_LOADER) &&
		 work.runtime_count < RUNTIME_MOST)
		work.runtime_data[work.runtime_count++] =
			(struct scan_range){object->start, object->end};
	if (object->class == CODE_LOADER)
		work.loader = (struct scan_range){object->start, object->end};
	if (object->tls_module)
		work.tls_taken[object->tls_module % TLS_MODULES] = true;
}

void look_ranges_begin(void)
{
	uintptr_t start, end, ranges[RANGES_MOST / 2][2];
	size_t count;

	memset(&work, 0, sizeof(work));
	session_file_range(&start, &end);
	own_add(start, end);
	count = heap_ranges(ranges);
	for (size_t i = 0; i < count; i++)
		own_add(ranges[i][0], ranges[i][1]);
	count = arena_ranges(ranges, RANGES_MOST / 2);
	for (size_t i = 0; i < count; i++)
		own_add(ranges[i][0], ranges[i][1]);
	objects_each(object_count, NULL);
	work.object_size += 16; /* others load meanwhile */
	work.objects = look_ranges_scratch(work.object_size * sizeof(*work.objects));
	objects_each(object_note, NULL);
}

void *look_ranges_scratch(size_t size)
{
	void *memory = sys_map(size, PROT_READ | PROT_WRITE);

	if (memory)
		own_add((uintptr_t)memory, ((uintptr_t)memory + size + PAGE - 1) & ~(PAGE - 1));
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

	SORT(ranges, count, .start);
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
			!work.tls_taken[generation->tls_module % TLS_MODULES])
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

static size_t excluded_size(void)
{
	return (work.tls_size + STALE_MOST + RANGES_MOST + work.mapping_count) *
	       sizeof(struct scan_range);
}

static void excluded_add(const struct scan_range *ranges, size_t count)
{
	memcpy(work.excluded + work.excluded_count, ranges, count * sizeof(*ranges));
	work.excluded_count += count;
}

bool look_ranges_make(const struct world *world)
{
	size_t size;

	each_gone(tls_count, world);
	work.mapping_count = look_mappings_excluded(NULL);
	/* room for itself and for the mappings that are still to come */
	size = excluded_size();
	work.tls = look_ranges_scratch(work.tls_size * sizeof(struct scan_range) + 1);
	work.stale = look_ranges_scratch(STALE_MOST * sizeof(struct scan_range));
	work.excluded = look_ranges_scratch(size);
	if (!work.tls || !work.stale || !work.excluded)
		return false;
	each_gone(tls_exclude_all, world);
	work.tls_count = ranges_sort(work.tls, work.tls_count);
	work.stale_count = ranges_sort(work.stale, keys_stale(world, work.stale, STALE_MOST));
	excluded_add(work.own, work.own_count);
	excluded_add(work.tls, work.tls_count);
	excluded_add(work.stale, work.stale_count);
	work.excluded_count += look_mappings_excluded(work.excluded + work.excluded_count);
	work.excluded_count = ranges_sort(work.excluded, work.excluded_count);
	return true;
}

const struct scan_range *look_ranges_excluded(size_t *count)
{
	*count = work.excluded_count;
	return work.excluded;
}

bool look_ranges_widen(struct scan_range *range, uintptr_t start, uintptr_t end)
{
	struct scan_range wide = {start, end};

	if (range->start < range->end) {
		wide.start = range->start < wide.start ? range->start : wide.start;
		wide.end = range->end > wide.end ? range->end : wide.end;
	}
	if (wide.end - wide.start > SCAN_APART)
		return false;
	*range = wide;
	return true;
}

bool look_ranges_is_tls(uintptr_t start, uintptr_t end)
{
	size_t from = SORTED_COUNT(work.tls_count, i, work.tls[i].end <= start);
	return from < work.tls_count && work.tls[from].start < end;
}

bool look_ranges_runtime(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
	for (size_t i = 0; i < work.runtime_count; i++) {
		*start = work.runtime_data[i].start;
		*end = work.runtime_data[i].end;
		if (address - *start < *end - *start)
			return true;
	}
	return false;
}

bool look_ranges_is_runtime(uintptr_t address)
{
	uintptr_t start, end;

	return look_ranges_runtime(address, &start, &end);
}

bool look_ranges_is_loader(uintptr_t address)
{
	return address - work.loader.start < work.loader.end - work.loader.start;
}

enum look_owner look_ranges_owner(uintptr_t address)
{
	for (size_t i = 0; i < work.object_count; i++) {
		const struct scan_range *range = &work.objects[i].range;

		if (address - range->start < range->end - range->start)
			return work.objects[i].owner;
	}
	return LOOK_OWNER_NONE;
}

pid_t look_ranges_tls_of(const struct world *world, uintptr_t start, uintptr_t end)
{
	for (size_t i = 0; i < world->thread_count; i++) {
		uintptr_t tp = world->threads[i].tp;
		const uintptr_t *dtv = tp ? ((const uintptr_t *const *)tp)[1] : NULL;

		for (size_t module = 1; dtv && module <= dtv[-2]; module++)
			if (dtv[2 * module] >= start && dtv[2 * module] < end)
				return world->threads[i].tid;
	}
	return 0;
}

void look_ranges_end(void)
{
	if (work.tls)
		sys_unmap(work.tls, work.tls_size * sizeof(struct scan_range) + 1);
	if (work.excluded)
		sys_unmap(work.excluded, excluded_size());
	if (work.stale)
		sys_unmap(work.stale, STALE_MOST * sizeof(struct scan_range));
	if (work.objects)
		sys_unmap(work.objects, work.object_size * sizeof(*work.objects));
	work.objects = NULL;
	work.tls = work.stale = work.excluded = NULL;
}
