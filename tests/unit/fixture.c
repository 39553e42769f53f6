/* SPDX-License-Identifier: MIT */
#include "tests/unit/fixture.h"

#define INLINE static inline __attribute__((always_inline))

fixture_function fixture_outer;
void *fixture_capture(void);

struct fixture_lines fixture_lines;
struct fixture_table fixture_table = {1, {2, 3}};
static void *volatile seen;

__attribute__((noinline)) void *fixture_capture(void)
{
	return __builtin_return_address(0);
}

INLINE void fixture_inner(void)
{
	fixture_lines.inner = __LINE__ + 1;
	seen = fixture_capture();
}

INLINE void fixture_middle(void)
{
	fixture_lines.middle = __LINE__ + 1;
	fixture_inner();
}

__attribute__((noinline)) void *fixture_outer(void)
{
	fixture_lines.outer = __LINE__ + 1;
	fixture_middle();
	return seen;
}
