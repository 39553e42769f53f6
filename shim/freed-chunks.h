/* SPDX-License-Identifier: MIT */
/*
 * Blocks of the host that were freed: the C library keeps them for the next
 * malloc with what was written there, which refers to nothing.
 *
 * Its heaps are read as they lie in memory, and only as long as all that is read
 * fits together; what cannot be told counts as in use.  Another allocator's are
 * not known.
 */
#ifndef RELIB_FREED_CHUNKS_H
#define RELIB_FREED_CHUNKS_H

#include <stdbool.h>

#include "shim/scan.h"

/* Before the world is stopped, after look_ranges_begin. */
void freed_chunks_begin(void);

/*
 * Whether the place, in a private mapping, lies in such a block.  With the world
 * stopped; a heap is read once for places in ascending order.
 */
bool freed_chunks_hold(const struct scan_place *place);

#endif
