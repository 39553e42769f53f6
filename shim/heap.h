/* SPDX-License-Identifier: MIT */
/*
 * The module heap: where the blocks of modules live, apart from the host's.
 *
 * One reserved range of addresses, so that free() knows a module's block by
 * one compare and a look through memory recognises a pointer to one likewise.
 * It is cut into units of 64 KiB; a span is a run of units that holds blocks
 * of one size class, or one large block.  What is known of a block stands
 * apart from it, 8 bytes each (struct meta), so that an overrun or a use after
 * free of a plugin cannot break the heap, and freed pages need not be touched.
 *
 * Threads allocate from and free to caches of their own, without atomics;
 * spans hand blocks out and take them back in batches under a lock.  A block
 * may be freed by any thread.
 */
#ifndef RELIB_HEAP_H
#define RELIB_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/lock.h"

#define HEAP_UNIT_SHIFT 16
#define HEAP_UNIT ((size_t)1 << HEAP_UNIT_SHIFT)
#define HEAP_SMALL_MAX 32768u /* larger blocks have a span of their own */
#define HEAP_CLASSES 40u

/* The owner of the loader's own allocations: never a module's. */
#define HEAP_PLACE_LOADER 1u
#define HEAP_GENERATION_NONE 0u

/* Bits above the place in meta.place. */
#define META_QUARANTINED 0x80000000u /* freed by relib; not handed out again yet */
#define META_MARKED 0x40000000u	     /* reached by the look that is under way */
#define META_REPORTED 0x20000000u    /* leaked, reported, left alone (leaks=report) */
#define META_PLACE 0x1fffffffu

/*
 * What is known of one block.  Live: place is not 0.  Written by the thread
 * that allocates or frees the block, and by a look while the world is stopped.
 */
struct meta {
	uint32_t place; /* META_* and the place; 0: free */
	union {
		struct {
			uint16_t generation; /* slot of the owner, see generation.h */
			union {
				uint16_t size; /* bytes asked for; of large ones see the span */
				uint16_t era;  /* quarantined: when, see heap_quarantine */
			};
		};
		uint32_t next_free; /* while in the span's list: index + 1 of the next */
	};
};
_Static_assert(sizeof(struct meta) == 8, "meta");

enum span_kind { SPAN_FREE, SPAN_SMALL, SPAN_LARGE };

struct span {
	uintptr_t start;     /* first block */
	uint64_t reciprocal; /* 2^40 / block_size, rounded up */
	struct meta *meta;   /* count of them */
	uint32_t units;
	uint32_t block_size; /* bytes; of large ones 0, see large_size */
	uint32_t count;	     /* blocks */
	uint32_t free_head;  /* index + 1 of the first free block, 0: none */
	uint32_t free_count; /* in this list; the caches' are not counted */
	uint8_t kind;	     /* enum span_kind */
	uint8_t class;
	bool listed;	   /* in its class's list of spans with free blocks */
	bool dirty;	   /* free span: its pages may hold old bytes */
	bool quarantined;  /* blocks were quarantined since the last heap_tidy */
	size_t large_size; /* bytes asked for */
	struct span *next, *prev;
};

struct heap {
	uintptr_t base;	     /* of the blocks; before: above all addresses, owning none */
	size_t size;	     /* bytes reserved for blocks; 0 until a module allocates */
	_Atomic size_t used; /* bytes from base that ever held a span */
	struct span **units; /* the span of each unit, NULL: never used */
};
extern struct heap heap;

/* Who asks: what goes into meta.  place is never 0. */
struct origin {
	uint32_t place;
	uint16_t generation;
};

struct thread;

/*
 * heap_allocate and heap_free are inline, in heap-fast.h:
 *
 *	void *heap_allocate(struct thread *, size_t size, struct origin);
 *	enum heap_freed heap_free(struct thread *, void *block, struct origin *was, size_t *asked);
 *
 * A block of size bytes (0 is as good as any), aligned to 16 or to alignment,
 * a power of two.  NULL when the heap is full or has no memory: the caller
 * passes on to the next allocator.  Keeps errno.
 *
 * heap_free frees a block for which heap_owns holds, from any thread.  *was,
 * *asked: what its meta said before: whose it was and the bytes asked for.
 */
void *heap_allocate_aligned(
	struct thread *thread, size_t alignment, size_t size, struct origin origin);
/* As heap_allocate, all bytes zero. */
void *heap_allocate_zeroed(struct thread *thread, size_t size, struct origin origin);

/* One compare.  False for NULL. */
static inline bool heap_owns(const void *block)
{
	return (uintptr_t)block - heap.base < heap.size;
}

enum heap_freed {
	HEAP_FREED,	  /* a live block; now free */
	HEAP_FREED_LATE,  /* relib had freed it at an unload: swallowed */
	HEAP_FREED_TWICE, /* not a live block, or not the start of one: swallowed */
};

/* The span of an address inside the heap, or NULL. */
static inline struct span *heap_span(uintptr_t address)
{
	size_t offset = address - heap.base;

	if (offset >= __atomic_load_n(&heap.used, __ATOMIC_ACQUIRE))
		return NULL;
	return heap.units[offset >> HEAP_UNIT_SHIFT];
}

static inline uint32_t span_index(const struct span *span, uintptr_t address)
{
	if (span->kind == SPAN_LARGE)
		return 0;
	return (uint32_t)(((address - span->start) * span->reciprocal) >> 40);
}

static inline size_t span_block_size(const struct span *span)
{
	return span->kind == SPAN_LARGE ? (size_t)span->units << HEAP_UNIT_SHIFT : span->block_size;
}

static inline uintptr_t span_block(const struct span *span, uint32_t index)
{
	return span->start + (uintptr_t)index * span->block_size;
}

static inline size_t span_asked(const struct span *span, uint32_t index)
{
	return span->kind == SPAN_LARGE ? span->large_size : span->meta[index].size;
}

/* Bytes that were asked for, since no others are looked through; 0 when it is not a live block. */
size_t heap_usable_size(const void *block);
/* What a live block's meta says; place 0 when it is not one.  *asked: bytes. */
struct origin heap_origin(const void *block, size_t *asked);

/*
 * Gives a live block a new size and owner where it stands.  False when it
 * does not fit, or would waste more than half.
 */
bool heap_resize(struct thread *thread, void *block, size_t size, struct origin origin);

/* A thread's cache: so many zeroed bytes, made ready. */
struct heap_cache;
size_t heap_cache_size(void);
void heap_cache_begin(struct heap_cache *cache);
/* Gives all its blocks back. */
void heap_cache_end(struct heap_cache *cache);

/*
 * Calls visit for every span that holds blocks.  Either with the world
 * stopped, or with the heap's page lock held by the walk (locked).
 */
void heap_walk(bool locked, void (*visit)(struct span *span, void *data), void *data);

/*
 * Puts a live block under quarantine, with the world stopped or the block
 * unreachable: nobody gets it again until heap_tidy finds its era over.
 */
void heap_quarantine(struct span *span, uint32_t index, uint16_t era);

/*
 * After a look: gives the pages of quarantined blocks back to the system, and
 * hands blocks out again whose era is over.  One thread at a time.
 */
void heap_tidy(bool (*over)(uint16_t era));

/* All that is reserved, records included, in so many pieces or none; their number. */
#define HEAP_RANGES 3u
size_t heap_ranges(uintptr_t (*to)[2]);

/* Gives back what is reserved beyond about so many bytes and was never used. */
void heap_limit(size_t most);

/*
 * Around fork: holds what locks can be had, so that the child finds the heap
 * in order.  What could not be had is given up in the child.
 */
void heap_fork_prepare(void);
void heap_fork_parent(void);
void heap_fork_child(void);

#endif
