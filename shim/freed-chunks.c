/* SPDX-License-Identifier: MIT */
/*
 * A heap of glibc's is a row of chunks, up to the one at its top, of which
 * blocks are cut:
 *
 *	| size of the chunk before, if that is free | size, flags | content ... |
 *
 * Its free chunks are told by a flag in the next one, but for small ones that
 * are kept for a quick malloc: these are marked as in use.  What a thread keeps
 * has a key in its second word.  What an arena keeps is in lists:
 *
 *	| lists, one for each size | top | ...
 *
 * The main arena is in the library's data, the others in their first heap.
 */
#include "shim/freed-chunks.h"

#include <errno.h>
#include <sys/syscall.h>

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/look-ranges.h"
#include "shim/next.h"
#include "shim/sorted.h"

#define WORD sizeof(uintptr_t)
#define ALIGNMENT (2 * WORD)
#define CHUNK_LEAST (4 * WORD)
#define BEFORE_IN_USE 1u
#define MAPPED 2u
#define OTHER_ARENA 4u
#define FLAGS 7u

#define LISTS 10u
#define LISTED_SIZE_MOST (2 * WORD * (LISTS + 1))
#define LISTED_MOST 8192u
#define HEAP_SIZE ((uintptr_t)64 << 20) /* of the other arenas', and their alignment */
#define HEAP_HEAD_MOST (16 * WORD)
#define ARENA_LISTS (2 * WORD) /* where they begin in an arena */
#define ARENA_SIZE_LEAST (256 * WORD)
#define ARENA_SIZE_MOST (512 * WORD)

/* One look at a time. */
static struct {
	bool readable;	    /* the allocator is the C library's */
	uintptr_t key;	    /* of chunks that a thread keeps; 0: not known */
	uintptr_t break_at; /* where the heap that grows by brk ends */
	uintptr_t main_top; /* address of the main arena's top, once it was found */
	uintptr_t main_not; /* the break when it was last sought in vain */
	/* the heap that is being read, up to at */
	uintptr_t first, at, end; /* at 0: it does not fit together from here on */
	uintptr_t start;	  /* of what is read as one heap */
	uintptr_t flags;	  /* OTHER_ARENA in all of its chunks, or 0 */
	uintptr_t listed[LISTED_MOST];
	size_t listed_count;
} known;

static uintptr_t word_at(uintptr_t address)
{
	return *(const volatile uintptr_t *)address;
}

static uintptr_t chunk_size(uintptr_t chunk)
{
	return word_at(chunk + WORD) & ~(uintptr_t)FLAGS;
}

/* A block that has just been freed shows the key that this thread's have. */
void freed_chunks_begin(void)
{
	int error = errno;
	volatile uintptr_t *block;

	known.start = known.end = known.key = 0;
	/* valgrind puts its own allocator in the place of the C library's */
	known.readable = look_ranges_is_runtime((uintptr_t)next.malloc) && !arch_on_valgrind();
	known.break_at = (uintptr_t)raw(SYS_brk, 0);
	block = known.readable ? next.malloc(CHUNK_LEAST - WORD) : NULL;
	if (block) {
		block[1] = 0;
		next.free((void *)block);
		known.key = block[1];
	}
	errno = error;
}

static bool is_chunk(uintptr_t chunk, uintptr_t end)
{
	uintptr_t head, size;

	if (chunk % ALIGNMENT || chunk + CHUNK_LEAST > end)
		return false;
	head = word_at(chunk + WORD);
	size = head & ~(uintptr_t)FLAGS;
	/* one that is free has lost the mark of its arena */
	return !(head & (MAPPED | OTHER_ARENA) & ~known.flags) && size >= CHUNK_LEAST &&
	       size % ALIGNMENT == 0 && size <= end - chunk;
}

/* Of two in a list, the link is in disguise since glibc 2.32. */
static uintptr_t listed_next(uintptr_t chunk)
{
	uintptr_t link = chunk + 2 * WORD, chunk_next = word_at(link) ^ link >> 12;

	return chunk_next % ALIGNMENT ? word_at(link) : chunk_next;
}

static void lists_read(uintptr_t lists)
{
	known.listed_count = 0;
	for (size_t i = 0; i < LISTS; i++) {
		uintptr_t chunk = word_at(lists + i * WORD);

		for (; chunk >= known.first && is_chunk(chunk, known.end);
			chunk = listed_next(chunk)) {
			if (known.listed_count == LISTED_MOST)
				return;
			known.listed[known.listed_count++] = chunk;
		}
	}
}

static bool is_listed(uintptr_t chunk)
{
	return sorted_has(known.listed, known.listed_count, chunk);
}

/* The main arena's heap grows by brk, and its top goes to the end. */
static bool is_top(uintptr_t chunk, const struct scan_place *place)
{
	return chunk > place->start && is_chunk(chunk, place->end) &&
	       chunk_size(chunk) == place->end - chunk;
}

static bool are_lists(uintptr_t lists, const struct scan_place *place)
{
	for (size_t i = 0; i < LISTS; i++) {
		uintptr_t chunk = word_at(lists + i * WORD);

		if (chunk && (chunk < place->start || chunk >= place->end || chunk % ALIGNMENT))
			return false;
	}
	return true;
}

/* It has no name: it is where the lists are that end with the top of this heap. */
static void main_top_find(const struct scan_place *place)
{
	uintptr_t start, end;

	if (!look_ranges_runtime((uintptr_t)next.malloc, &start, &end))
		return;
	for (uintptr_t at = start + LISTS * WORD; at < end; at += WORD)
		if (is_top(word_at(at), place) && are_lists(at - LISTS * WORD, place)) {
			known.main_top = at;
			return;
		}
	known.main_not = known.break_at;
}

static bool main_heap_begin(const struct scan_place *place)
{
	known.flags = 0;
	if (place->end != known.break_at)
		return false;
	if (!known.main_top && known.main_not != known.break_at)
		main_top_find(place);
	if (!known.main_top || !is_top(word_at(known.main_top), place))
		return false;
	known.start = place->start;
	known.first = (place->start + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	known.end = place->end;
	lists_read(known.main_top - LISTS * WORD);
	return true;
}

/* The first chunk behind the arena, whose size is another in each version of glibc. */
static uintptr_t other_first(uintptr_t arena, uintptr_t end)
{
	uintptr_t chunk = (arena + ARENA_SIZE_LEAST + ALIGNMENT - 1) & ~(ALIGNMENT - 1);

	for (; chunk < arena + ARENA_SIZE_MOST && chunk < end; chunk += ALIGNMENT)
		/* that of the thread's own lists: in use */
		if (is_chunk(chunk, end) && (word_at(chunk + WORD) & BEFORE_IN_USE) &&
			(word_at(chunk + WORD) & OTHER_ARENA) &&
			(chunk + chunk_size(chunk) == end ||
				is_chunk(chunk + chunk_size(chunk), end)))
			return chunk;
	return 0;
}

/* | its arena | the heap before | size | ... | the arena, in the first | chunks */
static bool other_heap_begin(const struct scan_place *place)
{
	uintptr_t heap = place->address & ~(HEAP_SIZE - 1), arena, head, size;

	if (heap < place->start)
		return false;
	arena = word_at(heap);
	head = arena % HEAP_SIZE;
	size = word_at(heap + 2 * WORD);
	if (head < CHUNK_LEAST || head > HEAP_HEAD_MOST || head % ALIGNMENT ||
		size > place->end - heap || place->address >= heap + size)
		return false;
	known.flags = OTHER_ARENA;
	known.start = heap;
	known.end = heap + size;
	known.first = arena == heap + head ? other_first(arena, known.end) : heap + head;
	if (arena == heap + head && known.first)
		lists_read(arena + ARENA_LISTS);
	return known.first != 0;
}

static void heap_begin(const struct scan_place *place)
{
	known.listed_count = 0;
	known.at = 0;
	if (main_heap_begin(place) || other_heap_begin(place)) {
		SORT(known.listed, known.listed_count, );
		known.at = is_chunk(known.first, known.end) ? known.first : 0;
		return;
	}
	known.start = place->start;
	known.end = place->end;
}

/* Goes on to the chunk that has the address in its content. */
static bool heap_advance(uintptr_t address)
{
	while (known.at && address >= known.at + chunk_size(known.at) + WORD) {
		known.at += chunk_size(known.at);
		if (!is_chunk(known.at, known.end))
			known.at = 0;
	}
	return known.at && address >= known.at + 2 * WORD;
}

static bool is_free(uintptr_t chunk)
{
	uintptr_t size = chunk_size(chunk), after = chunk + size;

	if (after == known.end || (known.key && word_at(chunk + 3 * WORD) == known.key))
		return true;
	if (!is_chunk(after, known.end))
		return false;
	if (!(word_at(after + WORD) & BEFORE_IN_USE))
		return word_at(after) == size;
	return size <= LISTED_SIZE_MOST && is_listed(chunk);
}

static bool place_search(const struct scan_place *place)
{
	if (place->address < known.start || place->address >= known.end)
		heap_begin(place);
	else if (known.at && place->address < known.at)
		known.at = known.first;
	return heap_advance(place->address) && is_free(known.at);
}

bool freed_chunks_hold(const struct scan_place *place)
{
	struct fault_guard guard;
	bool freed;

	if (!known.readable)
		return false;
	if (fault_caught(&guard)) {
		known.at = 0;
		return false;
	}
	freed = place_search(place);
	fault_leave(&guard);
	return freed;
}
