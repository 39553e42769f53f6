/* SPDX-License-Identifier: MIT */
/* Is rebuilt again and again with lines put in where the @LINES@ mark stands. */
#include "plugin.h"

#include <stdlib.h>

/* @LINES@ */
NOINLINE static void leak_rebuilt(void)
{
	forget(malloc(BUILD)); /* LEAK leak_rebuilt 1 BUILD */
	NOT_A_TAIL_CALL();
}

PLUGIN long leak_all(long number)
{
	leak_rebuilt();
	return number + BUILD;
}
