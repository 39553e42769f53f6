/* SPDX-License-Identifier: MIT */
/*
 * Stacks of threads that are over, which the C library keeps for the next
 * thread: what is written there refers to nothing.
 */
#ifndef RELIB_DEAD_STACKS_H
#define RELIB_DEAD_STACKS_H

#include <stdbool.h>

#include "shim/scan.h"

/* Before each look: forgets what the one before has found. */
void dead_stacks_begin(void);

/*
 * Whether the place, in a private mapping and in no living thread's stack, lies
 * in such a stack.  With the world stopped, under a guard (fault.h).
 */
bool dead_stacks_hold(const struct scan_place *place);

#endif
