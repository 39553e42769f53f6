/* SPDX-License-Identifier: MIT */
/* The fast paths: a thread's cache, and what is asked of a block. */
#include <string.h>

#include "shim/heap-fast.h"
#include "shim/heap-internal.h"
#include "shim/sys.h"
#include "shim/thread.h"

/* base and size change while others look: in either order no address is ours by mistake */
struct heap heap = {.base = UINTPTR_MAX / 2 + 1};

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
	for (unsigned int class = 0; class < HEAP_CLASSES; class ++)
		cache->class[class].most = cache_most(class);
}

void heap_cache_end(struct heap_cache *cache)
{
	for (unsigned int class = 0; class < HEAP_CLASSES; class ++)
		if (cache->class[class].count)
			heap_class_give(class, cache->class[class].slot, cache->class[class].count);
}

bool heap_slot_take_slow(struct thread *thread, unsigned int class, struct heap_slot *slot)
{
	struct cache_class *cached;
	uint32_t left;

	if (!thread->cache)
		return heap_class_take(class, slot, 1) == 1;
	cached = &thread->cache->class[class];
	left = heap_class_take(class, cached->slot, cached->most / 2);
	if (!left)
		return false;
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
	span = heap_reserve()
		       ? heap_units_take(units ? units : 1,
				 alignment >> HEAP_UNIT_SHIFT ? alignment >> HEAP_UNIT_SHIFT : 1,
				 zeroed)
		       : NULL;
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
	heap_meta_set(span->meta, 0, origin);
	return (void *)span->start;
}

void *heap_allocate_large(size_t size, struct origin origin)
{
	bool zeroed;

	return large_allocate(size, 1, origin, &zeroed);
}

void *heap_allocate_zeroed(struct thread *thread, size_t size, struct origin origin)
{
	bool zeroed = false;
	void *block = size > HEAP_SMALL_MAX ? large_allocate(size, 1, origin, &zeroed)
					    : heap_allocate(thread, size, origin);

	return block && !zeroed ? memset(block, 0, size) : block;
}

void *heap_allocate_aligned(
	struct thread *thread, size_t alignment, size_t size, struct origin origin)
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
	if (!heap_slot_take(thread, heap_class_of(room), &slot))
		return NULL;
	heap_meta_set(slot.meta, size, origin);
	return slot.block;
}

void heap_large_free(struct span *span)
{
	if (!lock_take(&heap_units_lock))
		return; /* lost, and still better than waiting for ever */
	/* first: a look may come at any moment and must not read the meta any more */
	__atomic_store_n(&span->kind, SPAN_FREE, __ATOMIC_RELEASE);
	heap_meta_give(span->meta, 1);
	heap_units_give(span);
	lock_give(&heap_units_lock);
}

void heap_slot_give_slow(struct thread *thread, unsigned int class, struct heap_slot slot)
{
	struct cache_class *cached;
	uint32_t half, count;

	if (!thread->cache) {
		heap_class_give(class, &slot, 1);
		return;
	}
	cached = &thread->cache->class[class];
	half = cached->most / 2;
	count = cached->count;
	/* the oldest go */
	heap_class_give(class, cached->slot, half);
	memmove(cached->slot, cached->slot + half, (count - half) * sizeof(slot));
	count -= half;
	cached->slot[count] = slot;
	cached->count = count + 1;
}

size_t heap_usable_size(const void *block)
{
	struct span *span;
	struct meta *meta = heap_block_meta((uintptr_t)block, &span);

	return meta && meta->place ? span_asked(span, (uint32_t)(meta - span->meta)) : 0;
}

struct origin heap_origin(const void *block, size_t *asked)
{
	struct span *span;
	struct meta *meta = heap_block_meta((uintptr_t)block, &span);

	*asked = 0;
	if (!meta || !meta->place || (meta->place & META_QUARANTINED))
		return (struct origin){0};
	*asked = span->kind == SPAN_LARGE ? span->large_size : meta->size;
	return (struct origin){meta->place & META_PLACE, meta->generation};
}

bool heap_resize(struct thread *thread, void *block, size_t size, struct origin origin)
{
	struct span *span;
	struct meta *meta = heap_block_meta((uintptr_t)block, &span);
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
	heap_meta_set(meta, size, origin);
	return true;
}
