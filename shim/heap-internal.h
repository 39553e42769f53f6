/* SPDX-License-Identifier: MIT */
/* Shared by the parts of the module heap: size classes, units, spans. */
#ifndef RELIB_HEAP_INTERNAL_H
#define RELIB_HEAP_INTERNAL_H

#include "shim/heap.h"

/* heap-class.c: sizes. */
extern const uint16_t heap_class_size[HEAP_CLASSES]; /* bytes; 0: class not in use */

/* Class of a size from 0 to HEAP_SMALL_MAX. */
static inline unsigned int heap_class_of(size_t size)
{
	unsigned int shift;

	if (size <= 128)
		return size ? (unsigned int)((size - 1) >> 4) : 0;
	/* four classes in each doubling: 160 192 224 256 | 320 384 448 512 | ... */
	shift = 63 - (unsigned int)__builtin_clzl(size - 1);
	return 8 + (shift - 7) * 4 + (unsigned int)(((size - 1) >> (shift - 2)) & 3);
}

/* heap-units.c: runs of units.  The caller holds heap_units_lock. */
extern struct lock heap_units_lock;

/* Reserves the range; false, and refused, when there is no room for even a small one. */
bool heap_reserve(void);
/* A span of units, aligned to alignment units (a power of two). *zeroed: its bytes are 0. */
struct span *heap_units_take(size_t units, size_t alignment, bool *zeroed);
void heap_units_give(struct span *span);
/* In a forked child: the lists are in an unknown state, go on without what they hold. */
void heap_units_abandon(void);
/* Metadata for count blocks, all zero; NULL when there is no memory. */
struct meta *heap_meta_take(uint32_t count);
void heap_meta_give(struct meta *meta, uint32_t count);

/* heap.c: gives a large block's span back; its meta is free already. */
void heap_large_free(struct span *span);

/* heap-class.c: central lists.  Moves up to want free blocks out of the class. */
struct heap_slot {
	void *block;
	struct meta *meta;
};
unsigned int heap_class_take(unsigned int class, struct heap_slot *slots, unsigned int want);
void heap_class_give(unsigned int class, const struct heap_slot *slots, unsigned int count);
extern struct lock heap_class_lock[HEAP_CLASSES];
void heap_class_abandon(unsigned int class);

#endif
