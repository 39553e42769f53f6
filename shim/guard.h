/* SPDX-License-Identifier: MIT */
/*
 * The addresses of unloaded images: mapped without access, and not handed out
 * again until so many MiB of newer ones are held back (RELIB_GUARD), so that a
 * late call is a fault that can be named and not somebody else's bytes.
 */
#ifndef RELIB_GUARD_H
#define RELIB_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The image was unmapped just now.  Inside the loader's lock.  Keeps errno. */
void guard_image(uintptr_t start, uintptr_t end, uint32_t generation_record);

/*
 * The generation (record in SESSION_GENERATIONS) whose image last was at the
 * address, while it is held back; 0: none.  Takes no lock, async-signal-safe.
 */
uint32_t guard_find(uintptr_t address);

/* Gives addresses back until no more than most bytes are held. */
void guard_limit(size_t most);

void guard_fork_child(void);

#endif
