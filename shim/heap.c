/* SPDX-License-Identifier: MIT */
/* The fast paths: a thread's cache, and what is asked of a block. */
#include <string.h>

#include "shim/heap-internal.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define CACHE_SLOTS 64u

/* base and size change while others look: in either order no address is ours by mistake */
struct heap heap = { .base = UINTPTR_MAX / 2 + 1 };

/* Slots are a stack: what was freed last is warm and is handed out first. */
struct heap_cache {
	struct cache_class {
		uint32_t count;
		uint32_t most;
		struct heap_slot slot[CACHE_SLOTS];
	} class[HEAP_CLASSES];
};

static unsigned int cache_most(unsigned int class)
{
	size_t size = heap_class_size[class];

	return size <= 256 ? CACHE_SLOTS : size <= 1024 ? 32 : size <= 8192 ? 16 : 8;
}

size_t heap_cache_size(void)
{
	return sizeof(struct heap_cache);
}

void heap_cache_begin(struct heap_cache *cache)
{
	for (unsigned int class = 0; class < HEAP_CLASSES; class++)
		cache->class[class].most = cache_most(class);
}

void heap_cache_end(struct heap_cache *cache)
{
	for (unsigned int class = 0; class < HEAP_CLASSES; class++)
		if (cache->class[class].count)
			heap_class_give(class, cache->class[class].slot, cache->class[class].count);
}

static inline void meta_set(struct meta *meta, size_t size, struct origin origin)
{
	struct meta made = { .place = origin.place };

	made.generation = origin.generation;
	made.size = (uint16_t)size;
	/* one store: a look may stop us at any instruction */
	__atomic_store(meta, &made, __ATOMIC_RELAXED);
}

static bool slot_take(struct thread *thread, unsigned int class, struct heap_slot *slot)
{
	struct cache_class *cached;
	uint32_t left;

	if (!thread->cache)
		return heap_class_take(class, slot, 1) == 1;
	cached = &thread->cache->class[class];
	left = cached->count;
	if (__builtin_expect(!left, 0)) {
		left = heap_class_take(class, cached->slot, cached->most / 2);
		if (!left)
			return false;
	}
	*slot = cached->slot[--left];
	cached->count = left;
	return true;
}

static void *large_allocate(size_t size, size_t alignment, struct origin origin, bool *zeroed)
{
	size_t units = (size + HEAP_UNIT - 1) >> HEAP_UNIT_SHIFT;
	struct span *span;

	if (size > PTRDIFF_MAX || alignment > PTRDIFF_MAX)
		return NULL;
	if (!lock_take(&heap_units_lock)) {
		thread_self.refused = true;
		return NULL;
	}
	span = heap_reserve() ? heap_units_take(units ? units : 1, alignment >> HEAP_UNIT_SHIFT ?
						alignment >> HEAP_UNIT_SHIFT : 1, zeroed) : NULL;
	if (span) {
		span->meta = heap_meta_take(1);
		if (!span->meta) {
			heap_units_give(span);
			span = NULL;
		}
	}
	if (span) {
		span->count = 1;
		span->block_size = 0;
		span->large_size = size;
		__atomic_store_n(&span->kind, SPAN_LARGE, __ATOMIC_RELEASE);
	}
	lock_give(&heap_units_lock);
	if (!span)
		return NULL;
	meta_set(span->meta, 0, origin);
	return (void *)span->start;
}

void *heap_allocate(struct thread *thread, size_t size, struct origin origin)
{
	struct heap_slot slot;
	bool zeroed;

	if (__builtin_expect(size > HEAP_SMALL_MAX, 0))
		return large_allocate(size, 1, origin, &zeroed);
	if (!slot_take(thread, heap_class_of(size), &slot))
		return NULL;
	meta_set(slot.meta, size, origin);
	return slot.block;
}

void *heap_allocate_zeroed(struct thread *thread, size_t size, struct origin origin)
{
	bool zeroed = false;
	void *block = size > HEAP_SMALL_MAX ? large_allocate(size, 1, origin, &zeroed)
					    : heap_allocate(thread, size, origin);

	return block && !zeroed ? memset(block, 0, size) : block;
}

void *heap_allocate_aligned(struct thread *thread, size_t alignment, size_t size,
			    struct origin origin)
{
	struct heap_slot slot;
	size_t room = size > alignment ? size : alignment;
	bool zeroed;

	if (alignment <= 16)
		return heap_allocate(thread, size, origin);
	if (room > HEAP_SMALL_MAX)
		return large_allocate(size, alignment, origin, &zeroed);
	/* blocks of a power of two lie at multiples of it: spans start at units */
	room = (size_t)1 << (64 - __builtin_clzl(room - 1));
	if (!slot_take(thread, heap_class_of(room), &slot))
		return NULL;
	meta_set(slot.meta, size, origin);
	return slot.block;
}

void heap_large_free(struct span *span)
{
	if (!lock_take(&heap_units_lock))
		return;		/* lost, and still better than waiting for ever */
	/* first: a look may come at any moment and must not read the meta any more */
	__atomic_store_n(&span->kind, SPAN_FREE, __ATOMIC_RELEASE);
	heap_meta_give(span->meta, 1);
	heap_units_give(span);
	lock_give(&heap_units_lock);
}

static void slot_give(struct thread *thread, unsigned int class, struct heap_slot slot)
{
	struct cache_class *cached;
	uint32_t count;

	if (!thread->cache) {
		heap_class_give(class, &slot, 1);
		return;
	}
	cached = &thread->cache->class[class];
	count = cached->count;
	if (__builtin_expect(count == cached->most, 0)) {
		uint32_t half = cached->most / 2;

		/* the oldest go */
		heap_class_give(class, cached->slot, half);
		memmove(cached->slot, cached->slot + half, (count - half) * sizeof(slot));
		count -= half;
	}
	cached->slot[count] = slot;
	cached->count = count + 1;
}

/* The live-or-not block that starts at address, or NULL. */
static struct meta *block_meta(uintptr_t address, struct span **found)
{
	struct span *span = heap_span(address);
	uint32_t index;

	*found = span;
	if (!span || span->kind == SPAN_FREE)
		return NULL;
	index = span_index(span, address);
	if (index >= span->count || span_block(span, index) != address)
		return NULL;
	return span->meta + index;
}

enum heap_freed heap_free(struct thread *thread, void *block, struct origin *was, size_t *asked)
{
	struct span *span;
	struct meta *meta = block_meta((uintptr_t)block, &span);
	uint32_t place;

	*was = (struct origin){ 0 };
	*asked = 0;
	if (!meta)
		return HEAP_FREED_TWICE;
	place = meta->place;
	was->place = place & META_PLACE;
	if (!place)
		return HEAP_FREED_TWICE;
	was->generation = meta->generation;
	*asked = span->kind == SPAN_LARGE ? span->large_size : meta->size;
	if (place & META_QUARANTINED)
		return HEAP_FREED_LATE;
	__atomic_store_n(&meta->place, 0, __ATOMIC_RELAXED);
	if (span->kind == SPAN_LARGE)
		heap_large_free(span);
	else
		slot_give(thread, span->class, (struct heap_slot){ block, meta });
	return HEAP_FREED;
}

size_t heap_usable_size(const void *block)
{
	struct span *span;
	struct meta *meta = block_meta((uintptr_t)block, &span);

	return meta && meta->place ? span_block_size(span) : 0;
}

struct origin heap_origin(const void *block, size_t *asked)
{
	struct span *span;
	struct meta *meta = block_meta((uintptr_t)block, &span);

	*asked = 0;
	if (!meta || !meta->place || (meta->place & META_QUARANTINED))
		return (struct origin){ 0 };
	*asked = span->kind == SPAN_LARGE ? span->large_size : meta->size;
	return (struct origin){ meta->place & META_PLACE, meta->generation };
}

bool heap_resize(struct thread *thread, void *block, size_t size, struct origin origin)
{
	struct span *span;
	struct meta *meta = block_meta((uintptr_t)block, &span);
	size_t room;

	if (!meta)
		return false;
	room = span_block_size(span);
	if (size > room || (room > 32 && size < room / 2))
		return false;
	if (span->kind == SPAN_LARGE) {
		if (size <= HEAP_SMALL_MAX)
			return false;
		span->large_size = size;
		size = 0;
	}
	meta_set(meta, size, origin);
	return true;
}
