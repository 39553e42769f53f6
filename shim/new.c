/* SPDX-License-Identifier: MIT */
/*
 * operator new and delete, so that a module's call is attributed without a
 * look behind the C++ runtime.  A host's call goes on to the next definition,
 * be it libstdc++'s or an allocator's; where there is none (a C host whose
 * plugin brought libstdc++ for itself) to malloc and free.
 *
 * Memory that cannot be had: libstdc++'s own operator is called, which asks
 * the new-handler and throws.
 */
#include <dlfcn.h>

#include "shim/module.h"
#include "shim/next.h"

/* The C++ runtime's own operator, where it is not among those behind us. */
static void *runtime_symbol(const char *symbol)
{
	void *handle = objects_handle("libstdc++.so.6");

	if (!handle)
		handle = objects_handle("libc++abi.so.1");
	return handle ? dlsym(handle, symbol) : NULL;
}

__attribute__((noinline)) static void *owned_aside(size_t alignment, size_t size, uint32_t code,
						   const uintptr_t *frame, uintptr_t bp)
{
	struct caller caller = caller_of(frame, bp);
	struct origin origin = module_origin(&caller, code);

	if (!origin.place)
		return NULL;
	return alignment <= 16 ? module_allocate(size, origin)
				: module_allocate_aligned(alignment, size, origin);
}

static inline void *owned(const uintptr_t *frame, size_t alignment, size_t size)
{
	uint32_t code;

	if (__builtin_expect(!module_may_own(frame[1], &code), 1))
		return NULL;
	return owned_aside(alignment, size, code, frame, CALLER_BP(frame));
}

/*
 * Whether the next operator is the C++ runtime's, which does no more than call
 * malloc or free: then we do that, and it is asked only when malloc fails.
 */
static bool is_runtime(void *operator)
{
	return CODE_CLASS(code_of((uintptr_t)operator)) == CODE_RUNTIME;
}

static void *next_aligned(size_t alignment, size_t size)
{
	return alignment <= 16 ? next.malloc(size) : next.aligned_alloc(alignment, size);
}

/* The throwing forms. */
#define NEW(name, symbol, alignment, parameters, arguments) \
	void *operator_##name parameters __asm__(symbol); \
	RELIB_EXPORT void *operator_##name parameters \
	{ \
		void *block = owned(CALLER_FRAME(), alignment, size); \
		void *(*real) parameters; \
		\
		if (block) \
			return block; \
		next_ready(); \
		real = next.name; \
		if (real && !is_runtime(real)) \
			return real arguments; \
		block = next_aligned(alignment, size ? size : 1); \
		if (__builtin_expect(block != NULL, 1)) \
			return block; \
		if (!real) \
			*(void **)&real = runtime_symbol(symbol); \
		return real ? real arguments : NULL; \
	}

#define NEW_NOTHROW(name, symbol, alignment, parameters, arguments) \
	void *operator_##name parameters __asm__(symbol); \
	RELIB_EXPORT void *operator_##name parameters \
	{ \
		void *block = owned(CALLER_FRAME(), alignment, size); \
		\
		if (block) \
			return block; \
		next_ready(); \
		if (next.name && !is_runtime(next.name)) \
			return next.name arguments; \
		block = next_aligned(alignment, size ? size : 1); \
		return block || !next.name ? block : next.name arguments; \
	}

#define DELETE(name, symbol, parameters, arguments) \
	void operator_##name parameters __asm__(symbol); \
	RELIB_EXPORT void operator_##name parameters \
	{ \
		if (__builtin_expect(heap_owns(block), 0)) { \
			module_free(block, (uintptr_t)__builtin_return_address(0)); \
			return; \
		} \
		next_ready(); \
		if (next.name && !is_runtime(next.name)) \
			next.name arguments; \
		else if (!next_bootstrap_owns(block)) \
			next.free(block); \
	}

NEW(new, "_Znwm", 16, (size_t size), (size))
NEW(new_array, "_Znam", 16, (size_t size), (size))
NEW(new_aligned, "_ZnwmSt11align_val_t", alignment, (size_t size, size_t alignment),
    (size, alignment))
NEW(new_array_aligned, "_ZnamSt11align_val_t", alignment, (size_t size, size_t alignment),
    (size, alignment))
NEW_NOTHROW(new_nothrow, "_ZnwmRKSt9nothrow_t", 16, (size_t size, const void *tag), (size, tag))
NEW_NOTHROW(new_array_nothrow, "_ZnamRKSt9nothrow_t", 16, (size_t size, const void *tag),
	    (size, tag))
NEW_NOTHROW(new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t", alignment,
	    (size_t size, size_t alignment, const void *tag), (size, alignment, tag))
NEW_NOTHROW(new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t", alignment,
	    (size_t size, size_t alignment, const void *tag), (size, alignment, tag))

DELETE(delete, "_ZdlPv", (void *block), (block))
DELETE(delete_array, "_ZdaPv", (void *block), (block))
DELETE(delete_sized, "_ZdlPvm", (void *block, size_t size), (block, size))
DELETE(delete_array_sized, "_ZdaPvm", (void *block, size_t size), (block, size))
DELETE(delete_nothrow, "_ZdlPvRKSt9nothrow_t", (void *block, const void *tag), (block, tag))
DELETE(delete_array_nothrow, "_ZdaPvRKSt9nothrow_t", (void *block, const void *tag), (block, tag))
DELETE(delete_aligned, "_ZdlPvSt11align_val_t", (void *block, size_t alignment),
       (block, alignment))
DELETE(delete_array_aligned, "_ZdaPvSt11align_val_t", (void *block, size_t alignment),
       (block, alignment))
DELETE(delete_sized_aligned, "_ZdlPvmSt11align_val_t",
       (void *block, size_t size, size_t alignment), (block, size, alignment))
DELETE(delete_array_sized_aligned, "_ZdaPvmSt11align_val_t",
       (void *block, size_t size, size_t alignment), (block, size, alignment))
DELETE(delete_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t",
       (void *block, size_t alignment, const void *tag), (block, alignment, tag))
DELETE(delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t",
       (void *block, size_t alignment, const void *tag), (block, alignment, tag))
