/* SPDX-License-Identifier: MIT */
/* What plugins and hosts of the tests share. */
#ifndef TESTS_PLUGIN_H
#define TESTS_PLUGIN_H

#include <stddef.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))

#ifdef __cplusplus
#define PLUGIN extern "C" NOINLINE
#else
#define PLUGIN NOINLINE
#endif

/* Uses a pointer, so that the compiler keeps what made it, and forgets it. */
static inline void forget(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

/* Keeps a call from becoming a jump, which would hide the calling function. */
#define NOT_A_TAIL_CALL() __asm__ volatile("" : : : "memory")

/* Contents that can be checked: every byte depends on its offset and a seed. */
static inline unsigned char pattern(size_t i, unsigned int seed)
{
	return (unsigned char)(i * 7 + (i >> 8) + seed);
}

static inline void pattern_fill(void *p, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		((unsigned char *)p)[i] = pattern(i, seed);
}

static inline int pattern_holds(const void *p, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		if (((const unsigned char *)p)[i] != pattern(i, seed))
			return 0;
	return 1;
}

#endif
