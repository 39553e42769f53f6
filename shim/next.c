/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <stdatomic.h>

#include "shim/lock.h"
#include "shim/next.h"

struct next_functions next;
void *next_fopencookie;
bool next_resolved;

static char area[32768] __attribute__((aligned(64)));
static _Atomic size_t area_used;
static struct lock resolving;

bool next_resolve(void)
{
	if (!lock_take(&resolving))
		return false; /* dlsym called us */
	if (!next_resolved) {
#define NEXT_LOOK_UP(type, name, symbol, parameters)                                               \
	*(void **)&next.name = dlsym(RTLD_NEXT, symbol);
		NEXT_FUNCTIONS(NEXT_LOOK_UP)
#undef NEXT_LOOK_UP
		next_fopencookie = dlsym(RTLD_NEXT, "fopencookie");
		dlerror(); /* what was not found is no error of the host's */
		__atomic_store_n(&next_resolved, true, __ATOMIC_RELEASE);
	}
	lock_give(&resolving);
	return true;
}

/* The size of each block stands in the 16 bytes before it. */
void *next_bootstrap(size_t size, size_t alignment)
{
	size_t from = atomic_load(&area_used), start;

	if (alignment < 16)
		alignment = 16;
	do {
		start = (from + 16 + alignment - 1) & ~(alignment - 1);
		if (start > sizeof(area) || size > sizeof(area) - start)
			return NULL;
	} while (!atomic_compare_exchange_weak(&area_used, &from, start + size));
	*(size_t *)(area + start - 16) = size;
	return area + start;
}

bool next_bootstrap_owns(const void *block)
{
	return (uintptr_t)block - (uintptr_t)area < sizeof(area);
}

size_t next_bootstrap_size(const void *block)
{
	return *(const size_t *)((const char *)block - 16);
}
