/* SPDX-License-Identifier: MIT */
/*
 * The reserved range: units, taken and given back in runs, and the memory of
 * the spans' own records.
 *
 *	| span pointer of each unit | spans and metas | units ... |
 *
 * Each part is reserved without access and made usable as it grows, so that
 * it is neither charged to the process nor dumped with its core before.
 */
#include <string.h>

#include "shim/heap-internal.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define HEAP_MOST ((size_t)1 << 40) /* bytes reserved for blocks */
#define HEAP_LEAST ((size_t)1 << 24)
#define GROW_STEP ((size_t)1 << 20)
#define BINS 28u		      /* free runs by the logarithm of their units */
#define PURGE_FLOOR ((size_t)4 << 20) /* bytes of freed pages kept warm at least */
#define META_SIZES 20u

struct part {
	uintptr_t start;
	size_t size;   /* reserved */
	size_t usable; /* access was given */
	size_t used;
};

struct lock heap_units_lock;

static struct part table_part, record_part, unit_part;
static bool reserve_failed;
static struct span *bins[BINS];
static struct span *spare_spans;
static void *spare_metas[META_SIZES]; /* by the logarithm of their bytes */
static size_t dirty_bytes, taken_bytes;
static size_t purge_floor = PURGE_FLOOR;

bool heap_reserve(void)
{
	size_t most = sys_address_share(3);

	if (heap.size)
		return true;
	if (reserve_failed) {
		thread_self.refused = true;
		return false;
	}
	for (size_t size = HEAP_MOST; size >= HEAP_LEAST; size /= 2) {
		size_t table = size / HEAP_UNIT * sizeof(void *), records = size / 8, all;
		char *start;

		table = (table + HEAP_UNIT - 1) & ~(HEAP_UNIT - 1);
		all = table + records + size + HEAP_UNIT;
		start = all <= most ? sys_map(all, PROT_NONE) : NULL;
		if (!start)
			continue;
		sys_advise(start, all, MADV_DONTDUMP);
		table_part = (struct part){(uintptr_t)start, table, 0, 0};
		record_part = (struct part){(uintptr_t)start + table, records, 0, 0};
		unit_part.start = ((uintptr_t)start + table + records + HEAP_UNIT - 1) &
				  ~(uintptr_t)(HEAP_UNIT - 1);
		unit_part.size = size;
		heap.units = (struct span **)table_part.start;
		__atomic_store_n(&heap.base, unit_part.start, __ATOMIC_RELEASE);
		__atomic_store_n(&heap.size, size, __ATOMIC_RELEASE);
		return true;
	}
	reserve_failed = true;
	thread_self.refused = true;
	return false;
}

/* The next size bytes of a part, or 0. */
static uintptr_t part_take(struct part *part, size_t size)
{
	size_t end = part->used + size;

	if (size > part->size || end > part->size)
		return 0;
	if (end > part->usable) {
		size_t usable = (end + GROW_STEP - 1) & ~(GROW_STEP - 1);
		char *from = (char *)part->start + part->usable;

		if (usable > part->size)
			usable = part->size;
		if (sys_protect(from, usable - part->usable, PROT_READ | PROT_WRITE))
			return 0;
		sys_advise(from, usable - part->usable, MADV_DODUMP);
		part->usable = usable;
	}
	part->used = end;
	return part->start + end - size;
}

static unsigned int meta_shift(uint32_t count)
{
	size_t size = count * sizeof(struct meta);

	return size <= 16 ? 4 : 64 - (unsigned int)__builtin_clzl(size - 1);
}

struct meta *heap_meta_take(uint32_t count)
{
	unsigned int shift = meta_shift(count);
	void **spare = shift < META_SIZES ? spare_metas[shift] : NULL;
	uintptr_t fresh;

	if (!spare) {
		fresh = part_take(&record_part, (size_t)1 << shift);
		return (struct meta *)fresh;
	}
	spare_metas[shift] = *spare;
	return memset(spare, 0, count * sizeof(struct meta));
}

void heap_meta_give(struct meta *meta, uint32_t count)
{
	unsigned int shift = meta_shift(count);

	memset(meta, 0, count * sizeof(*meta));
	*(void **)meta = spare_metas[shift];
	spare_metas[shift] = meta;
}

static struct span *span_new(void)
{
	struct span *span = spare_spans;

	if (span) {
		spare_spans = span->next;
		memset(span, 0, sizeof(*span));
		return span;
	}
	return (struct span *)part_take(&record_part, (sizeof(*span) + 15) & ~(size_t)15);
}

static void span_drop(struct span *span)
{
	span->next = spare_spans;
	spare_spans = span;
}

static unsigned int bin_of(size_t units)
{
	unsigned int bin = 63 - (unsigned int)__builtin_clzl(units);

	return bin < BINS ? bin : BINS - 1;
}

static size_t unit_of(const struct span *span)
{
	return (span->start - heap.base) >> HEAP_UNIT_SHIFT;
}

static void units_map(struct span *span, struct span *to)
{
	size_t first = unit_of(span);

	for (size_t unit = 0; unit < span->units; unit++)
		__atomic_store_n(&heap.units[first + unit], to, __ATOMIC_RELEASE);
}

/* A free run is known by its first and last unit, so that neighbours find it. */
static void bin_put(struct span *span)
{
	struct span **bin = &bins[bin_of(span->units)];
	size_t first = unit_of(span);

	span->kind = SPAN_FREE;
	span->prev = NULL;
	span->next = *bin;
	if (*bin)
		(*bin)->prev = span;
	*bin = span;
	heap.units[first] = span;
	heap.units[first + span->units - 1] = span;
	if (span->dirty)
		dirty_bytes += (size_t)span->units << HEAP_UNIT_SHIFT;
}

static void bin_drop(struct span *span)
{
	if (span->prev)
		span->prev->next = span->next;
	else
		bins[bin_of(span->units)] = span->next;
	if (span->next)
		span->next->prev = span->prev;
	if (span->dirty)
		dirty_bytes -= (size_t)span->units << HEAP_UNIT_SHIFT;
}

static struct span *bin_find(size_t units)
{
	for (unsigned int bin = bin_of(units); bin < BINS; bin++)
		for (struct span *span = bins[bin]; span; span = span->next)
			if (span->units >= units)
				return span;
	return NULL;
}

/* Cuts a run in two; the second part is returned.  NULL: no memory, not cut. */
static struct span *span_cut(struct span *span, size_t units)
{
	struct span *rest = span_new();

	if (!rest)
		return NULL;
	rest->start = span->start + (units << HEAP_UNIT_SHIFT);
	rest->units = (uint32_t)(span->units - units);
	rest->dirty = span->dirty;
	span->units = (uint32_t)units;
	return rest;
}

/* A run at the end of what was ever used. */
static struct span *units_fresh(size_t units)
{
	struct span *span = span_new();
	uintptr_t start;

	if (!span)
		return NULL;
	start = units <= heap.size >> HEAP_UNIT_SHIFT
			? part_take(&unit_part, units << HEAP_UNIT_SHIFT)
			: 0;
	if (!start) {
		span_drop(span);
		return NULL;
	}
	if (table_part.used < unit_part.used / HEAP_UNIT * sizeof(void *) &&
		!part_take(&table_part,
			unit_part.used / HEAP_UNIT * sizeof(void *) - table_part.used)) {
		unit_part.used -= units << HEAP_UNIT_SHIFT;
		span_drop(span);
		return NULL;
	}
	span->start = start;
	span->units = (uint32_t)units;
	units_map(span, span);
	__atomic_store_n(&heap.used, unit_part.used, __ATOMIC_RELEASE);
	return span;
}

static struct span *units_any(size_t units)
{
	struct span *span = bin_find(units), *rest;

	if (!span)
		return units_fresh(units);
	bin_drop(span);
	if (span->units > units) {
		rest = span_cut(span, units);
		if (rest)
			bin_put(rest);
	}
	return span;
}

struct span *heap_units_take(size_t units, size_t alignment, bool *zeroed)
{
	struct span *span, *rest;
	size_t skip;

	if (units > UINT32_MAX - alignment)
		return NULL;
	span = units_any(units + alignment - 1);
	if (!span)
		return NULL;
	skip = (0 - (span->start >> HEAP_UNIT_SHIFT)) & (alignment - 1);
	if (skip) {
		rest = span_cut(span, skip);
		if (!rest) {
			bin_put(span);
			return NULL;
		}
		bin_put(span);
		span = rest;
	}
	if (span->units > units) {
		rest = span_cut(span, units);
		if (rest)
			bin_put(rest);
	}
	*zeroed = !span->dirty;
	span->dirty = true;
	span->free_head = span->free_count = 0;
	units_map(span, span);
	taken_bytes += (size_t)span->units << HEAP_UNIT_SHIFT;
	return span;
}

static struct span *unit_neighbour(size_t unit)
{
	struct span *span;

	if (unit >= unit_part.used >> HEAP_UNIT_SHIFT)
		return NULL;
	span = heap.units[unit];
	return span && span->kind == SPAN_FREE ? span : NULL;
}

/* Pages that the host locked (mlockall) stay as they are: not clean, and not asked for soon. */
static void purge(void)
{
	for (unsigned int bin = 0; bin < BINS; bin++)
		for (struct span *span = bins[bin]; span; span = span->next) {
			size_t size = (size_t)span->units << HEAP_UNIT_SHIFT;

			if (!span->dirty || sys_advise((void *)span->start, size, MADV_DONTNEED))
				continue;
			span->dirty = false;
			dirty_bytes -= size;
		}
	purge_floor = PURGE_FLOOR + 2 * dirty_bytes;
}

void heap_units_give(struct span *span)
{
	struct span *before, *after;
	size_t first = unit_of(span);

	taken_bytes -= (size_t)span->units << HEAP_UNIT_SHIFT;
	span->kind = SPAN_FREE;
	before = first ? unit_neighbour(first - 1) : NULL;
	after = unit_neighbour(first + span->units);
	if (before) {
		bin_drop(before);
		span->start = before->start;
		span->units += before->units;
		span_drop(before);
	}
	if (after) {
		bin_drop(after);
		span->units += after->units;
		span_drop(after);
	}
	span->dirty = true;
	bin_put(span);
	if (dirty_bytes > purge_floor + taken_bytes / 8)
		purge();
}

void heap_units_abandon(void)
{
	for (unsigned int bin = 0; bin < BINS; bin++)
		bins[bin] = NULL;
	for (unsigned int shift = 0; shift < META_SIZES; shift++)
		spare_metas[shift] = NULL;
	spare_spans = NULL;
	dirty_bytes = 0;
}

size_t heap_ranges(uintptr_t (*to)[2])
{
	const struct part *parts[HEAP_RANGES] = {&table_part, &record_part, &unit_part};

	for (unsigned int i = 0; heap.size && i < HEAP_RANGES; i++) {
		to[i][0] = parts[i]->start;
		to[i][1] = parts[i]->start + parts[i]->size;
	}
	return heap.size ? HEAP_RANGES : 0;
}

/* Gives addresses back that were never used. */
static void part_shrink(struct part *part, size_t size)
{
	if (size < part->usable)
		size = part->usable;
	size = (size + HEAP_UNIT - 1) & ~(HEAP_UNIT - 1);
	if (size >= part->size)
		return;
	sys_unmap((void *)(part->start + size), part->size - size);
	part->size = size;
}

void heap_limit(size_t most)
{
	size_t size;

	if (!heap.size || !lock_take(&heap_units_lock))
		return;
	for (size = unit_part.size; size > HEAP_LEAST && size + size / 4 > most;)
		size /= 2;
	if (size < unit_part.usable)
		size = unit_part.usable;
	if (size < unit_part.size) {
		/* first: what others map there is not ours */
		__atomic_store_n(&heap.size, size, __ATOMIC_RELEASE);
		part_shrink(&unit_part, size);
		part_shrink(&record_part, size / 8);
		part_shrink(&table_part, size / HEAP_UNIT * sizeof(void *));
	}
	lock_give(&heap_units_lock);
}
