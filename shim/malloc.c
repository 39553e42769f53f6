/* SPDX-License-Identifier: MIT */
/*
 * The malloc family.  A host's call takes a few compares and goes on to the
 * next allocator with a jump; what follows is what the others share.
 */
#include <errno.h>
#include <string.h>

#include "shim/keys.h"
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

/*
 * What is not plainly the host's stands in functions of its own, so that the
 * host's way through needs no registers saved.
 */
#define ASIDE __attribute__((noinline))

ASIDE static void *malloc_aside(size_t size, uint32_t code, const uintptr_t *frame, uintptr_t bp)
{
	struct caller caller = caller_of(frame, bp);
	struct origin origin = module_origin(&caller, code);
	void *block;

	if (origin.place) {
		block = module_allocate(size, origin);
		if (block || !thread_self.refused)
			return block;
	}
	return next_ready() ? next.malloc(size) : bootstrap(size, 16);
}

RELIB_EXPORT void *malloc(size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	uint32_t code;

	if (__builtin_expect(module_may_own(frame[1], &code), 0))
		return malloc_aside(size, code, frame, CALLER_BP(frame));
	return next_ready() ? next.malloc(size) : bootstrap(size, 16);
}

void *interposed_malloc(size_t size) __attribute__((alias("malloc")));

ASIDE static void *calloc_aside(
	size_t nmemb, size_t size, uint32_t code, const uintptr_t *frame, uintptr_t bp)
{
	struct caller caller = caller_of(frame, bp);
	struct origin origin;
	size_t bytes;
	void *block;

	if (__builtin_mul_overflow(nmemb, size, &bytes))
		return out_of_memory();
	origin = keys_is_block(nmemb, size, caller.pc) ? (struct origin){0}
						       : module_origin(&caller, code);
	if (CODE_CLASS(code) == CODE_LOADER)
		loader_allocated(nmemb, size);
	if (origin.place) {
		block = module_allocate_zeroed(bytes, origin);
		if (block || !thread_self.refused)
			return block;
	}
	return next_ready() ? next.calloc(nmemb, size) : bootstrap(bytes, 16);
}

RELIB_EXPORT void *calloc(size_t nmemb, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	uint32_t code;
	size_t bytes;

	if (__builtin_expect(module_may_own(frame[1], &code), 0))
		return calloc_aside(nmemb, size, code, frame, CALLER_BP(frame));
	if (next_ready())
		return next.calloc(nmemb, size);
	return __builtin_mul_overflow(nmemb, size, &bytes) ? out_of_memory() : bootstrap(bytes, 16);
}

ASIDE static void *realloc_aside(void *block, size_t size, const uintptr_t *frame, uintptr_t bp)
{
	struct caller caller = caller_of(frame, bp);
	struct origin origin = {0};
	uint32_t code;

	if (module_may_own(caller.pc, &code))
		origin = module_origin(&caller, code);
	if (!origin.place && !heap_owns(block) && !next_bootstrap_owns(block))
		return next.realloc(block, size);
	return module_reallocate(block, size, origin, caller.pc);
}

RELIB_EXPORT void *realloc(void *block, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	uint32_t code;

	if (!next_ready())
		return block ? NULL : bootstrap(size, 16);
	if (__builtin_expect(module_may_own(frame[1], &code) || heap_owns(block) ||
				     next_bootstrap_owns(block),
		    0))
		return realloc_aside(block, size, frame, CALLER_BP(frame));
	return next.realloc(block, size);
}

RELIB_EXPORT void *reallocarray(void *block, size_t nmemb, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	size_t bytes;

	if (__builtin_mul_overflow(nmemb, size, &bytes))
		return out_of_memory();
	if (!next_ready())
		return block ? NULL : bootstrap(bytes, 16);
	return realloc_aside(block, bytes, frame, CALLER_BP(frame));
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

/*
 * True when the caller owns what it allocates: then *block is it, or NULL with
 * ENOMEM.  False: the next allocator's turn.
 */
static inline bool aligned_here(const uintptr_t *frame, size_t alignment, size_t size, void **block)
{
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct origin origin;
	uint32_t code;

	*block = NULL;
	if (__builtin_expect(!module_may_own(caller.pc, &code), 1))
		return false;
	origin = module_origin(&caller, code);
	if (!origin.place || !is_power_of_two(alignment))
		return false;
	*block = module_allocate_aligned(alignment, size, origin);
	return *block || !thread_self.refused;
}

RELIB_EXPORT int posix_memalign(void **block, size_t alignment, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	int saved = errno;
	void *made;

	if (!is_power_of_two(alignment) || alignment % sizeof(void *))
		return EINVAL;
	if (!aligned_here(frame, alignment, size, &made)) {
		if (next_ready())
			return next.posix_memalign(block, alignment, size);
		made = next_bootstrap(size, alignment);
	}
	errno = saved;
	if (made)
		*block = made;
	return made ? 0 : ENOMEM;
}

RELIB_EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	void *block;

	if (aligned_here(frame, alignment, size, &block))
		return block;
	return next_ready() ? next.aligned_alloc(alignment, size) : bootstrap(size, alignment);
}

RELIB_EXPORT void *memalign(size_t alignment, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	void *block;

	if (aligned_here(frame, alignment, size, &block))
		return block;
	if (!next_ready())
		return bootstrap(size, alignment);
	return next.memalign ? next.memalign(alignment, size) : next.aligned_alloc(alignment, size);
}

RELIB_EXPORT void *valloc(size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	void *block;

	if (aligned_here(frame, PAGE, size, &block))
		return block;
	if (!next_ready())
		return bootstrap(size, PAGE);
	return next.valloc ? next.valloc(size) : next.aligned_alloc(PAGE, size);
}

RELIB_EXPORT void *pvalloc(size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	size_t whole;
	void *block;

	if (__builtin_add_overflow(size, PAGE - 1, &whole))
		return out_of_memory();
	whole &= ~(PAGE - 1);
	if (aligned_here(frame, PAGE, whole ? whole : PAGE, &block))
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
