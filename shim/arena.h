/* SPDX-License-Identifier: MIT */
/*
 * Small things of the shim's own that live as long as the process: object and
 * generation records, tables.  Zeroed, 16-byte aligned, never given back.
 */
#ifndef RELIB_ARENA_H
#define RELIB_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* NULL when there is no memory.  Any thread. */
void *arena_take(size_t size);

/* Up to most mapped ranges of the arena: no place for roots.  Returns their number. */
size_t arena_ranges(uintptr_t (*ranges)[2], size_t most);

/* Around fork, so that the child finds it in order. */
void arena_fork_prepare(void);
void arena_fork_parent(void);
void arena_fork_child(void);

#endif
