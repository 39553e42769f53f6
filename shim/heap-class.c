/* SPDX-License-Identifier: MIT */
/* Size classes, and the spans that have free blocks of each. */
#include <string.h>

#include "shim/heap-internal.h"
#include "shim/sys.h"
#include "shim/thread.h"

/* Steps of 16 up to 128, then four in each doubling: at most a fifth is lost. */
const uint16_t heap_class_size[HEAP_CLASSES] = {
	16,   32,   48,	  64,	80,    96,    112,   128,   160,   192,	  224,	 256,	320,   384,
	448,  512,  640,  768,	896,   1024,  1280,  1536,  1792,  2048,  2560,	 3072,	3584,  4096,
	5120, 6144, 7168, 8192, 10240, 12288, 14336, 16384, 20480, 24576, 28672, 32768,
};

struct lock heap_class_lock[HEAP_CLASSES];

static struct span *class_spans[HEAP_CLASSES];	/* with free blocks */

static unsigned int class_units(unsigned int class)
{
	return heap_class_size[class] <= 2048 ? 1 : heap_class_size[class] <= 8192 ? 2 : 8;
}

static void class_list(struct span *span)
{
	struct span **list = &class_spans[span->class];

	span->prev = NULL;
	span->next = *list;
	if (*list)
		(*list)->prev = span;
	*list = span;
	span->listed = true;
}

static void class_unlist(struct span *span)
{
	if (span->prev)
		span->prev->next = span->next;
	else
		class_spans[span->class] = span->next;
	if (span->next)
		span->next->prev = span->prev;
	span->listed = false;
}

/* Every block free and in the list, lowest address first. */
static void class_fill(struct span *span)
{
	for (uint32_t index = 0; index < span->count; index++)
		span->meta[index].next_free = index + 1 < span->count ? index + 2 : 0;
	span->free_head = 1;
	span->free_count = span->count;
}

static bool class_grow(unsigned int class)
{
	unsigned int units = class_units(class);
	struct span *span;
	bool zeroed;

	if (!lock_take(&heap_units_lock)) {
		thread_self.refused = true;
		return false;
	}
	span = heap_reserve() ? heap_units_take(units, 1, &zeroed) : NULL;
	if (span) {
		span->class = (uint8_t)class;
		span->block_size = heap_class_size[class];
		span->count = (uint32_t)(((size_t)units << HEAP_UNIT_SHIFT) / span->block_size);
		span->reciprocal = ((UINT64_C(1) << 40) + span->block_size - 1) / span->block_size;
		span->meta = heap_meta_take(span->count);
		if (!span->meta) {
			heap_units_give(span);
			span = NULL;
		}
	}
	if (span) {
		class_fill(span);
		__atomic_store_n(&span->kind, SPAN_SMALL, __ATOMIC_RELEASE);
	}
	lock_give(&heap_units_lock);
	if (span)
		class_list(span);
	return span != NULL;
}

unsigned int heap_class_take(unsigned int class, struct heap_slot *slots, unsigned int want)
{
	unsigned int taken = 0;

	if (!lock_take(&heap_class_lock[class])) {
		thread_self.refused = true;
		return 0;
	}
	while (taken < want) {
		struct span *span = class_spans[class];
		uint32_t index;

		if (!span) {
			if (taken || !class_grow(class))
				break;
			continue;
		}
		index = span->free_head - 1;
		span->free_head = span->meta[index].next_free;
		if (!--span->free_count)
			class_unlist(span);
		slots[taken].block = (void *)span_block(span, index);
		slots[taken++].meta = span->meta + index;
	}
	lock_give(&heap_class_lock[class]);
	/* what is taken last is used first: keep addresses rising */
	for (unsigned int i = 0; i < taken / 2; i++) {
		struct heap_slot slot = slots[i];

		slots[i] = slots[taken - 1 - i];
		slots[taken - 1 - i] = slot;
	}
	return taken;
}

static void class_release(struct span *span)
{
	class_unlist(span);
	if (!lock_take(&heap_units_lock)) {
		class_list(span);
		return;
	}
	/* first: a look may come at any moment and must not read the meta any more */
	__atomic_store_n(&span->kind, SPAN_FREE, __ATOMIC_RELEASE);
	heap_meta_give(span->meta, span->count);
	heap_units_give(span);
	lock_give(&heap_units_lock);
}

void heap_class_give(unsigned int class, const struct heap_slot *slots, unsigned int count)
{
	if (!lock_take(&heap_class_lock[class]))
		return;		/* lost, and still better than waiting for ever */
	for (unsigned int i = 0; i < count; i++) {
		struct span *span = heap_span((uintptr_t)slots[i].block);
		uint32_t index = (uint32_t)(slots[i].meta - span->meta);

		span->meta[index].next_free = span->free_head;
		span->free_head = index + 1;
		span->free_count++;
		if (!span->listed)
			class_list(span);
		/* one empty span stays, so that a lone block does not map and unmap */
		if (span->free_count == span->count && (span->next || span->prev))
			class_release(span);
	}
	lock_give(&heap_class_lock[class]);
}

void heap_class_abandon(unsigned int class)
{
	class_spans[class] = NULL;
}
