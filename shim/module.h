/* SPDX-License-Identifier: MIT */
/*
 * Blocks with an owner: what the interposers of malloc and operator new do for
 * callers that are not plainly the host's.  errno is kept, but for ENOMEM.
 */
#ifndef RELIB_MODULE_H
#define RELIB_MODULE_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/callstacks.h"
#include "shim/generation.h"
#include "shim/heap-fast.h"
#include "shim/objects.h"
#include "shim/places.h"

/*
 * True when the caller's allocations may be somebody's: then module_origin
 * tells whose.  Two loads and two compares for a host's call.
 */
static inline bool module_may_own(uintptr_t pc, uint32_t *code)
{
	if (__builtin_expect(!objects_active, 1))
		return false;
	*code = code_of(pc - 1);
	return CODE_CLASS(*code) > CODE_HOST ||
	       (__builtin_expect(!*code, 0) && thread_self.loading);
}

/* Our malloc, whoever else's a reference to the name would be bound to. */
void *interposed_malloc(size_t size) __attribute__((visibility("hidden")));

/* The ways of module_origin that are not taken often. */
struct origin module_origin_slow(const struct caller *caller);

/* place 0: the host's.  Keeps errno. */
static inline struct origin module_origin(const struct caller *caller, uint32_t code)
{
	struct thread *thread = &thread_self;

	/* behind the runtime there can be no module, when there is none */
	if (CODE_CLASS(code) == CODE_RUNTIME && !thread->loading &&
		!__atomic_load_n(&generation_alive, __ATOMIC_RELAXED))
		return (struct origin){0};
	if (__builtin_expect(thread->inside || thread->loading || !thread->set_up ||
				     CODE_CLASS(code) > CODE_RUNTIME,
		    0))
		return module_origin_slow(caller);
	return callstacks_origin(thread, caller, code);
}

/*
 * A block for origin.  NULL with errno ENOMEM: there is no memory; unless
 * thread_self.refused is set: the heap cannot be entered now (a signal handler
 * that interrupted it, a fork in another thread), go on to the next allocator.
 */
static inline void *module_allocate(size_t size, struct origin origin);
void *module_allocate_zeroed(size_t size, struct origin origin);
void *module_allocate_aligned(size_t alignment, size_t size, struct origin origin);

void *module_allocate_slow(size_t size, struct origin origin);
static inline void *module_allocate(size_t size, struct origin origin)
{
	struct thread *thread = &thread_self;
	void *block;

	if (__builtin_expect(
		    !thread->counters || size > HEAP_SMALL_MAX || origin.place == HEAP_PLACE_LOADER,
		    0))
		return module_allocate_slow(size, origin);
	block = heap_allocate(thread, size, origin);
	if (__builtin_expect(!block, 0))
		return module_allocate_slow(size, origin);
	place_allocated(thread, origin.place, size);
	return block;
}

/* free() of a block of the module heap, called from pc.  Keeps errno. */
void module_free(void *block, uintptr_t pc);

/*
 * realloc() where the block or the caller is a module's: makes the caller the
 * owner.  A size of 0 frees.
 */
void *module_reallocate(void *block, size_t size, struct origin origin, uintptr_t pc);

#endif
