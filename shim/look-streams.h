/* SPDX-License-Identifier: MIT */
/*
 * Streams and directory streams that unloaded generations left, in a look.
 * The list of open streams, which goes through all of them, is a reference of
 * the C library's only, and blocks that the host has freed are none.  With fds=close those that
 * nobody refers to are closed, and what that frees is not told as memory.
 */
#ifndef RELIB_LOOK_STREAMS_H
#define RELIB_LOOK_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/look.h"
#include "shim/scan.h"

/* Before the world is stopped, after look_ranges_begin. */
void look_streams_begin(void);

/* With the world stopped; false when there is no memory. */
bool look_streams_make(void);

/* The i-th stream's block, 0: there are no more. */
uintptr_t look_streams_block(size_t i);

/*
 * What refers to the block's start there, if it is a stream's: the C library's
 * list; or memory that the host has freed, which is no reference.
 */
bool look_streams_listed(uintptr_t block, const struct scan_place *place);
bool look_streams_freed(uintptr_t block, const struct scan_place *place);

/* Others than the C library refer to the block: if it is a stream's, it stays open. */
void look_streams_kept(uintptr_t block, const struct look_reference *reference);

/* Whether the block goes when a stream is closed: it is that, or its buffer. */
bool look_streams_frees(uintptr_t block);

/* Afterwards, if the look ran to its end: records what is kept, and closes the others. */
void look_streams_end(bool done);

#endif
