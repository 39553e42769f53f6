/* SPDX-License-Identifier: MIT */
/*
 * Keys of thread-specific data (pthread_key_create, tss_create) that modules
 * made.  Their destructors are registered as stubs of ours, so that none is
 * called after its module went.
 */
#ifndef RELIB_KEYS_H
#define RELIB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/scan.h"
#include "shim/world.h"

/*
 * Calls the destructors of a generation's keys for the calling thread's values,
 * as often as a thread's end would.  Calls the module: no lock may be held.
 * Returns how many calls.
 */
uint32_t keys_run(uint16_t generation);

/* Deletes the generation's keys.  Returns how many there were. */
uint32_t keys_delete(uint16_t generation);

/*
 * With the world stopped: where the threads of the world still keep values of
 * keys that were deleted because their module went; these refer to nothing.
 * Writes at most most ranges and returns how many.
 */
size_t keys_stale(const struct world *world, struct scan_range *ranges, size_t most);

/*
 * Whether calloc is asked for a block of values by the C library: it is the
 * thread's, for all keys, whoever sets the first.
 */
bool keys_is_block(size_t nmemb, size_t size, uintptr_t pc);

/*
 * Whether the calling thread has a value for a module's key with a destructor
 * that comes after this key in a round of key destructors.
 */
bool keys_follow(unsigned int key);

void keys_fork_child(void);

#endif
