/* SPDX-License-Identifier: MIT */
/* The functions that map and unmap memory. */
#include <errno.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "shim/ledger.h"
#include "shim/mappings.h"
#include "shim/next.h"
#include "shim/sys.h"

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

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

#define MMAP(name)                                                                                 \
	RELIB_EXPORT void *name(                                                                   \
		void *start, size_t length, int protection, int flags, int fd, long offset)        \
	{                                                                                          \
		struct origin origin = CALL_ORIGIN();                                              \
		void *result;                                                                      \
                                                                                                   \
		if (next_ready() && next.name)                                                     \
			result = next.name(start, length, protection, flags, fd, offset);          \
		else                                                                               \
			result = result_of(sys_call6(                                              \
				SYS_mmap, start, length, protection, flags, fd, offset));          \
		if (result != MAP_FAILED)                                                          \
			made(origin, result, length, flags);                                       \
		return result;                                                                     \
	}

MMAP(mmap)
MMAP(mmap64)

RELIB_EXPORT int munmap(void *start, size_t length)
{
	size_t whole = whole_pages(length, PAGE);
	struct interval *taken = mappings_take((uintptr_t)start, whole);
	int result;

	if (next_ready() && next.munmap)
		result = next.munmap(start, length);
	else
		result = result_of(sys_unmap(start, length)) == MAP_FAILED ? -1 : 0;
	if (!taken)
		return result;
	if (result)
		mappings_restore(taken);
	else
		mappings_gone(taken);
	return result;
}

static void *remap(
	struct origin origin, void *old, size_t old_length, size_t length, int flags, void *fixed)
{
	const struct mapping_call call = {.origin = origin, .kind = SESSION_MAPPING};
	size_t old_whole = whole_pages(old_length, PAGE), whole = whole_pages(length, PAGE);
	struct interval *taken = mappings_take((uintptr_t)old, old_whole);
	void *result;

	if (next_ready() && next.mremap)
		result = next.mremap(old, old_length, length, flags, fixed);
	else
		result = result_of(sys_call6(SYS_mremap, old, old_length, length, flags, fixed, 0));
	if (result == MAP_FAILED)
		mappings_restore(taken);
	else if (taken || origin.place || mappings_touch((uintptr_t)result, whole))
		mapping_moved(&call, taken, (uintptr_t)old, old_whole, (uintptr_t)result, whole,
			(flags & MREMAP_DONTUNMAP) != 0);
	return result;
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
	return remap(origin, old, old_length, length, flags, fixed);
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
