/* SPDX-License-Identifier: MIT */
/*
 * The paths of the module heap that every allocation of a module takes, inline:
 * no lock, no atomic, no call.
 */
#ifndef RELIB_HEAP_FAST_H
#define RELIB_HEAP_FAST_H

#include "shim/heap-internal.h"
#include "shim/thread.h"

#define CACHE_SLOTS 64u

/* Slots are a stack: what was freed last is warm and is handed out first. */
struct heap_cache {
	struct cache_class {
		uint32_t count;
		uint32_t most;
		struct heap_slot slot[CACHE_SLOTS];
	} class[HEAP_CLASSES];
};

bool heap_slot_take_slow(struct thread *thread, unsigned int class, struct heap_slot *slot);
void heap_slot_give_slow(struct thread *thread, unsigned int class, struct heap_slot slot);
void *heap_allocate_large(size_t size, struct origin origin);

static inline void heap_meta_set(struct meta *meta, size_t size, struct origin origin)
{
	/* one store: a look may stop us at any instruction */
	union {
		struct meta meta;
		uint64_t word;
	} made = {.meta = {.place = origin.place}};

	made.meta.generation = origin.generation;
	made.meta.size = (uint16_t)size;
	__atomic_store_n((uint64_t *)meta, made.word, __ATOMIC_RELAXED);
}

static inline bool heap_slot_take(struct thread *thread, unsigned int class, struct heap_slot *slot)
{
	struct heap_cache *cache = thread->cache;
	struct heap_slot *taken;

	if (__builtin_expect(!cache || !cache->class[class].count, 0))
		return heap_slot_take_slow(thread, class, slot);
	taken = &cache->class[class].slot[--cache->class[class].count];
	/* word by word: 16 bytes read at once would wait for the two stores of a free just now */
	slot->block = __atomic_load_n(&taken->block, __ATOMIC_RELAXED);
	slot->meta = __atomic_load_n(&taken->meta, __ATOMIC_RELAXED);
	return true;
}

static inline void heap_slot_give(struct thread *thread, unsigned int class, struct heap_slot slot)
{
	struct heap_cache *cache = thread->cache;
	struct cache_class *cached;

	if (__builtin_expect(!cache || cache->class[class].count == cache->class[class].most, 0)) {
		heap_slot_give_slow(thread, class, slot);
		return;
	}
	cached = &cache->class[class];
	__atomic_store_n(&cached->slot[cached->count].block, slot.block, __ATOMIC_RELAXED);
	__atomic_store_n(&cached->slot[cached->count++].meta, slot.meta, __ATOMIC_RELAXED);
}

static inline void *heap_allocate(struct thread *thread, size_t size, struct origin origin)
{
	struct heap_slot slot;

	if (__builtin_expect(size > HEAP_SMALL_MAX, 0))
		return heap_allocate_large(size, origin);
	if (__builtin_expect(!heap_slot_take(thread, heap_class_of(size), &slot), 0))
		return NULL;
	heap_meta_set(slot.meta, size, origin);
	return slot.block;
}

/* The live-or-not block that starts at address, or NULL. */
static inline struct meta *heap_block_meta(uintptr_t address, struct span **found)
{
	struct span *span = heap_span(address);
	uint32_t index;

	*found = span;
	if (__builtin_expect(!span || span->kind == SPAN_FREE, 0))
		return NULL;
	index = span_index(span, address);
	if (__builtin_expect(index >= span->count || span_block(span, index) != address, 0))
		return NULL;
	return span->meta + index;
}

static inline enum heap_freed heap_free(
	struct thread *thread, void *block, struct origin *was, size_t *asked)
{
	struct span *span;
	struct meta *meta = heap_block_meta((uintptr_t)block, &span);
	uint32_t place;

	*was = (struct origin){0};
	*asked = 0;
	if (__builtin_expect(!meta, 0))
		return HEAP_FREED_TWICE;
	place = meta->place;
	was->place = place & META_PLACE;
	if (__builtin_expect(!place, 0))
		return HEAP_FREED_TWICE;
	was->generation = meta->generation;
	*asked = span->kind == SPAN_LARGE ? span->large_size : meta->size;
	if (__builtin_expect(place & META_QUARANTINED, 0))
		return HEAP_FREED_LATE;
	__atomic_store_n(&meta->place, 0, __ATOMIC_RELAXED);
	if (__builtin_expect(span->kind == SPAN_LARGE, 0))
		heap_large_free(span);
	else
		heap_slot_give(thread, span->class, (struct heap_slot){block, meta});
	return HEAP_FREED;
}

#endif
