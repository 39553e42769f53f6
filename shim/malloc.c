/* SPDX-License-Identifier: MIT */
/*
 * The malloc family.  A host's call takes a few compares and goes on to the
 * next allocator with a jump; what follows is what the others share.
 */
#include <errno.h>
#include <string.h>

#include "shim/loader.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/sys.h"

void *malloc(size_t size);
void *calloc(size_t nmemb, size_t size);
void *realloc(void *block, size_t size);
void *reallocarray(void *block, size_t nmemb, size_t size);
void free(void *block);
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t alignment, size_t size);
int posix_memalign(void **block, size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size);
void *valloc(size_t size);
void *pvalloc(size_t size);
size_t malloc_usable_size(void *block);

#define PAGE ((size_t)4096)

static void *out_of_memory(void)
{
	errno = ENOMEM;
	return NULL;
}

static void *bootstrap(size_t size, size_t alignment)
{
	void *block = next_bootstrap(size, alignment);

	return block ? block : out_of_memory();
}

RELIB_EXPORT void *malloc(size_t size)
{
	struct caller caller = CALLER_HERE();
	struct origin origin;
	uint32_t code;
	void *block;

	if (__builtin_expect(module_may_own(caller.pc, &code), 0)) {
		origin = module_origin(caller, code);
		block = origin.place ? module_allocate(size, origin) : NULL;
		if (block)
			return block;
	}
	if (!next_ready())
		return bootstrap(size, 16);
	return next.malloc(size);
}

RELIB_EXPORT void *calloc(size_t nmemb, size_t size)
{
	struct caller caller = CALLER_HERE();
	struct origin origin;
	uint32_t code;
	size_t bytes;
	void *block;

	if (__builtin_expect(module_may_own(caller.pc, &code), 0)) {
		if (__builtin_mul_overflow(nmemb, size, &bytes))
			return out_of_memory();
		origin = module_origin(caller, code);
		if (CODE_CLASS(code) == CODE_LOADER)
			loader_allocated(nmemb, size);
		block = origin.place ? module_allocate_zeroed(bytes, origin) : NULL;
		if (block)
			return block;
	}
	if (!next_ready())
		return __builtin_mul_overflow(nmemb, size, &bytes) ? out_of_memory()
								     : bootstrap(bytes, 16);
	return next.calloc(nmemb, size);
}

/* True when the call is the host's with the host's block: the next allocator's. */
static inline bool is_foreign(void *block, struct caller caller, struct origin *origin)
{
	uint32_t code;

	*origin = (struct origin){ 0 };
	if (__builtin_expect(module_may_own(caller.pc, &code), 0))
		*origin = module_origin(caller, code);
	return !origin->place && !heap_owns(block) && !next_bootstrap_owns(block);
}

RELIB_EXPORT void *realloc(void *block, size_t size)
{
	struct caller caller = CALLER_HERE();
	struct origin origin;

	if (!next_ready())
		return block ? NULL : bootstrap(size, 16);
	if (__builtin_expect(is_foreign(block, caller, &origin), 1))
		return next.realloc(block, size);
	return module_reallocate(block, size, origin, caller.pc);
}

RELIB_EXPORT void *reallocarray(void *block, size_t nmemb, size_t size)
{
	struct caller caller = CALLER_HERE();
	struct origin origin;
	size_t bytes;

	if (__builtin_mul_overflow(nmemb, size, &bytes))
		return out_of_memory();
	if (!next_ready())
		return block ? NULL : bootstrap(bytes, 16);
	if (__builtin_expect(is_foreign(block, caller, &origin), 1))
		return next.realloc(block, bytes);
	return module_reallocate(block, bytes, origin, caller.pc);
}

RELIB_EXPORT void free(void *block)
{
	if (__builtin_expect(heap_owns(block), 0)) {
		module_free(block, (uintptr_t)__builtin_return_address(0));
		return;
	}
	if (__builtin_expect(!next_ready() || next_bootstrap_owns(block), 0))
		return;
	next.free(block);
}

RELIB_EXPORT void free_sized(void *block, size_t size)
{
	if (__builtin_expect(heap_owns(block), 0))
		module_free(block, (uintptr_t)__builtin_return_address(0));
	else if (!next_ready() || next_bootstrap_owns(block))
		return;
	else if (next.free_sized)
		next.free_sized(block, size);
	else
		next.free(block);
}

RELIB_EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size)
{
	if (__builtin_expect(heap_owns(block), 0))
		module_free(block, (uintptr_t)__builtin_return_address(0));
	else if (!next_ready() || next_bootstrap_owns(block))
		return;
	else if (next.free_aligned_sized)
		next.free_aligned_sized(block, alignment, size);
	else
		next.free(block);
}

static bool is_power_of_two(size_t number)
{
	return number && !(number & (number - 1));
}

/* A block of the module heap when the caller owns one; NULL: the next allocator's turn. */
static inline void *aligned_here(struct caller caller, size_t alignment, size_t size)
{
	struct origin origin;
	uint32_t code;

	if (__builtin_expect(!module_may_own(caller.pc, &code), 1))
		return NULL;
	origin = module_origin(caller, code);
	return origin.place && is_power_of_two(alignment)
		       ? module_allocate_aligned(alignment, size, origin)
		       : NULL;
}

RELIB_EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
	struct caller caller = CALLER_HERE();
	void *made;

	if (!is_power_of_two(alignment) || alignment % sizeof(void *))
		return EINVAL;
	made = aligned_here(caller, alignment, size);
	if (!made && next_ready())
		return next.posix_memalign(block, alignment, size);
	if (!made)
		made = next_bootstrap(size, alignment);
	if (made)
		*block = made;
	return made ? 0 : ENOMEM;
}

RELIB_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	struct caller caller = CALLER_HERE();
	void *block = aligned_here(caller, alignment, size);

	if (block)
		return block;
	return next_ready() ? next.aligned_alloc(alignment, size) : bootstrap(size, alignment);
}

RELIB_EXPORT void *memalign(size_t alignment, size_t size)
{
	struct caller caller = CALLER_HERE();
	void *block = aligned_here(caller, alignment, size);

	if (block)
		return block;
	if (!next_ready())
		return bootstrap(size, alignment);
	return next.memalign ? next.memalign(alignment, size) : next.aligned_alloc(alignment, size);
}

RELIB_EXPORT void *valloc(size_t size)
{
	struct caller caller = CALLER_HERE();
	void *block = aligned_here(caller, PAGE, size);

	if (block)
		return block;
	if (!next_ready())
		return bootstrap(size, PAGE);
	return next.valloc ? next.valloc(size) : next.aligned_alloc(PAGE, size);
}

RELIB_EXPORT void *pvalloc(size_t size)
{
	struct caller caller = CALLER_HERE();
	size_t whole;
	void *block;

	if (__builtin_add_overflow(size, PAGE - 1, &whole))
		return out_of_memory();
	whole &= ~(PAGE - 1);
	block = aligned_here(caller, PAGE, whole ? whole : PAGE);
	if (block)
		return block;
	if (!next_ready())
		return bootstrap(whole, PAGE);
	return next.pvalloc ? next.pvalloc(size) : next.aligned_alloc(PAGE, whole);
}

RELIB_EXPORT size_t malloc_usable_size(void *block)
{
	if (__builtin_expect(heap_owns(block), 0))
		return heap_usable_size(block);
	if (!next_ready() || next_bootstrap_owns(block))
		return next_bootstrap_owns(block) ? next_bootstrap_size(block) : 0;
	return next.malloc_usable_size ? next.malloc_usable_size(block) : 0;
}
