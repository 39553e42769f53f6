/* SPDX-License-Identifier: MIT */
#include "shim/arena.h"
#include "shim/lock.h"
#include "shim/sys.h"

#define CHUNK_LEAST ((size_t)1 << 20)
#define CHUNK_MOST ((size_t)1 << 26)
#define RANGES_MOST 64u

static struct lock arena_lock;
static uintptr_t chunk, chunk_end;
static size_t chunk_next = CHUNK_LEAST;
static uintptr_t ranges[RANGES_MOST][2];
static _Atomic size_t range_count;

static uintptr_t arena_map(size_t size)
{
	uintptr_t start = (uintptr_t)sys_map(size, PROT_READ | PROT_WRITE);

	if (start) {
		ranges[range_count][0] = start;
		ranges[range_count][1] = start + size;
		range_count++;
	}
	return start;
}

/* Ever larger chunks: few ranges, however much is taken.  Untouched memory costs nothing. */
static void arena_grow(size_t size)
{
	size_t wanted = chunk_next > size ? chunk_next : size;

	if (range_count == RANGES_MOST)
		return;
	chunk = arena_map(wanted);
	if (!chunk)
		chunk = arena_map(wanted = (size + 65535) & ~(size_t)65535);
	chunk_end = chunk ? chunk + wanted : 0;
	if (chunk_next < CHUNK_MOST)
		chunk_next *= 2;
}

void *arena_take(size_t size)
{
	uintptr_t taken = 0;

	size = (size + 15) & ~(size_t)15;
	if (!lock_take(&arena_lock))
		return NULL;
	if (size > chunk_end - chunk)
		arena_grow(size);
	if (size <= chunk_end - chunk) {
		taken = chunk;
		chunk += size;
	}
	lock_give(&arena_lock);
	return (void *)taken;
}

size_t arena_ranges(uintptr_t (*to)[2], size_t most)
{
	size_t count = range_count < most ? range_count : most;

	for (size_t i = 0; i < count; i++) {
		to[i][0] = ranges[i][0];
		to[i][1] = ranges[i][1];
	}
	return count;
}

void arena_fork_prepare(void)
{
	lock_take(&arena_lock);
}

void arena_fork_parent(void)
{
	if (lock_is_mine(&arena_lock))
		lock_give(&arena_lock);
}

void arena_fork_child(void)
{
	arena_lock.owner = 0;
}
