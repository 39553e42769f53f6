/* SPDX-License-Identifier: MIT */
/* The functions that map and unmap memory. */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "shim/balances.h"
#include "shim/generation.h"
#include "shim/ledger.h"
#include "shim/mappings.h"
#include "shim/mmap.h"
#include "shim/next.h"
#include "shim/sys.h"

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static size_t whole_pages(size_t length, size_t page)
{
	return (length + page - 1) & ~(page - 1);
}

/* As the kernel rounds the length of a mapping. */
static size_t mapped_length(size_t length, int flags)
{
	unsigned int shift = (unsigned int)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;

	if (!(flags & MAP_HUGETLB) || !(flags & MAP_ANONYMOUS))
		return whole_pages(length, PAGE);
	return whole_pages(length, shift ? (size_t)1 << shift : HUGE_PAGE);
}

/* For what the loader calls before we know the next one. */
static void *result_of(long result)
{
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return MAP_FAILED;
	}
	return (void *)result;
}

static void made(struct origin origin, const void *start, size_t length, int flags)
{
	const struct mapping_call call = {
		.origin = origin,
		.kind = SESSION_MAPPING,
		.grows = (flags & MAP_GROWSDOWN) != 0,
	};

	length = mapped_length(length, flags);
	if (origin.place || mappings_touch((uintptr_t)start, length))
		mapping_made(&call, (uintptr_t)start, length);
}

static bool is_own(const struct interval *piece, struct origin origin)
{
	const struct mapped *mapped = piece->of;

	return mapped->kind == SESSION_MAPPING &&
	       balance_at(mapped->balance)->generation == generation_at(origin.generation)->record;
}

/* All that the table has there are mappings of the generation, and there is no gap. */
static bool owns(struct origin origin, uintptr_t start, size_t length)
{
	struct interval *taken = mappings_take(start, length);
	size_t own = 0;

	for (const struct interval *piece = taken; piece; piece = piece->right)
		own += is_own(piece, origin) ? piece->end - piece->start : 0;
	mappings_restore(taken);
	return own && own == length;
}

/*
 * A module puts something at addresses of its choice.  Where it reserved them,
 * that is a part of what it reserved: who refers to one part may use all.  Where
 * something of others is, it is theirs still: they count on the addresses.
 */
static void *map_fixed(mapper *map, struct origin origin, void *start, size_t length,
	int protection, int flags, int fd, long offset)
{
	int saved = errno;
	void *result;

	if (owns(origin, (uintptr_t)start, mapped_length(length, flags)))
		return map(start, length, protection, flags, fd, offset);
	result = map(start, length, protection, flags | MAP_FIXED_NOREPLACE, fd, offset);
	if (result == MAP_FAILED) {
		errno = saved;
		origin.place = 0;
		result = map(start, length, protection, flags, fd, offset);
	}
	if (result != MAP_FAILED)
		made(origin, result, length, flags);
	return result;
}

void *map_noted(mapper *map, struct origin origin, void *start, size_t length, int protection,
	int flags, int fd, long offset)
{
	void *result;

	if (origin.place && (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == MAP_FIXED)
		return map_fixed(map, origin, start, length, protection, flags, fd, offset);
	result = map(start, length, protection, flags, fd, offset);
	if (result != MAP_FAILED)
		made(origin, result, length, flags);
	return result;
}

static void *map_here(void *start, size_t length, int protection, int flags, int fd, long offset)
{
	return result_of(sys_call6(SYS_mmap, start, length, protection, flags, fd, offset));
}

#define MMAP(name)                                                                                 \
	RELIB_EXPORT void *name(                                                                   \
		void *start, size_t length, int protection, int flags, int fd, long offset)        \
	{                                                                                          \
		struct origin origin = CALL_ORIGIN();                                              \
		mapper *map = next_ready() && next.name ? next.name : map_here;                    \
                                                                                                   \
		return map_noted(map, origin, start, length, protection, flags, fd, offset);       \
	}

MMAP(mmap)
MMAP(mmap64)

int unmap_noted(unmapper *unmap, void *start, size_t length)
{
	struct interval *taken = mappings_take((uintptr_t)start, whole_pages(length, PAGE));
	int result = unmap(start, length);

	if (!taken)
		return result;
	if (result)
		mappings_restore(taken);
	else
		mappings_gone(taken);
	return result;
}

static int unmap_here(void *start, size_t length)
{
	return result_of(sys_unmap(start, length)) == MAP_FAILED ? -1 : 0;
}

RELIB_EXPORT int munmap(void *start, size_t length)
{
	return unmap_noted(next_ready() && next.munmap ? next.munmap : unmap_here, start, length);
}

/* As map_fixed; of what was never mapped it is not known. */
static void moved(struct mapping_call *call, struct interval *taken, uintptr_t old,
	size_t old_length, uintptr_t start, size_t length, int flags)
{
	const bool kept = flags & MREMAP_DONTUNMAP;

	if (call->origin.place && (flags & MREMAP_FIXED)) {
		if (owns(call->origin, start, length)) {
			if (kept)
				mappings_restore(taken);
			else
				mappings_gone(taken);
			return;
		}
		call->origin.place = 0;
	}
	mapping_moved(call, taken, old, old_length, start, length, kept);
}

void *remap_noted(remapper *remap, struct origin origin, void *old, size_t old_length,
	size_t length, int flags, void *fixed)
{
	struct mapping_call call = {.origin = origin, .kind = SESSION_MAPPING};
	size_t old_whole = whole_pages(old_length, PAGE), whole = whole_pages(length, PAGE);
	struct interval *taken = mappings_take((uintptr_t)old, old_whole);
	void *result = remap(old, old_length, length, flags, fixed);

	if (result == MAP_FAILED)
		mappings_restore(taken);
	else if (taken || origin.place || mappings_touch((uintptr_t)result, whole))
		moved(&call, taken, (uintptr_t)old, old_whole, (uintptr_t)result, whole, flags);
	return result;
}

static void *remap_here(void *old, size_t old_length, size_t length, int flags, ...)
{
	va_list arguments;
	void *fixed;

	va_start(arguments, flags);
	fixed = va_arg(arguments, void *);
	va_end(arguments);
	return result_of(sys_call6(SYS_mremap, old, old_length, length, flags, fixed, 0));
}

/* The address is there with MREMAP_FIXED only; nobody looks at it without. */
RELIB_EXPORT void *mremap(void *old, size_t old_length, size_t length, int flags, ...)
{
	struct origin origin = CALL_ORIGIN();
	va_list arguments;
	void *fixed;

	va_start(arguments, flags);
	fixed = va_arg(arguments, void *);
	va_end(arguments);
	return remap_noted(next_ready() && next.mremap ? next.mremap : remap_here, origin, old,
		old_length, length, flags, fixed);
}

static size_t segment_length(int id)
{
	struct shmid_ds state;

	return sys_call(SYS_shmctl, id, IPC_STAT, &state) < 0 ? 0
							      : whole_pages(state.shm_segsz, PAGE);
}

RELIB_EXPORT void *shmat(int id, const void *wanted, int flags)
{
	struct origin origin = CALL_ORIGIN();
	struct mapping_call call = {.origin = origin, .kind = SESSION_SEGMENT, .segment = id};
	void *result;
	size_t length;

	if (!next_ready() || !next.shmat) {
		errno = ENOSYS;
		return (void *)-1;
	}
	result = next.shmat(id, wanted, flags);
	if (result == (void *)-1 || (!origin.place && !(flags & SHM_REMAP)))
		return result;
	length = segment_length(id);
	/* in the place of others' memory */
	if ((flags & SHM_REMAP) && !owns(origin, (uintptr_t)result, length))
		call.origin.place = 0;
	if (length)
		mapping_made(&call, (uintptr_t)result, length);
	return result;
}

RELIB_EXPORT int shmdt(const void *start)
{
	struct interval *taken = mappings_take_segment((uintptr_t)start);
	int result;

	if (!next_ready() || !next.shmdt) {
		mappings_restore(taken);
		errno = ENOSYS;
		return -1;
	}
	result = next.shmdt(start);
	if (result)
		mappings_restore(taken);
	else
		mappings_gone(taken);
	return result;
}
