/* SPDX-License-Identifier: MIT */
/*
 * Pointers into the images that went: found by the look while the world is
 * stopped, recorded (SESSION_DANGLINGS) when it goes on.
 *
 * No such pointers are: the loader's own tables and blocks, entries of exit
 * handlers that were run, stacks of threads that are over, and blocks that the
 * host has freed.
 */
#ifndef RELIB_LOOK_IMAGES_H
#define RELIB_LOOK_IMAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/scan.h"
#include "shim/world.h"

/* Before the world is stopped: the images of the generations that are looked at. */
void look_images_begin(void);

/* With the world stopped, before look_ranges_make; false when there is no memory. */
bool look_images_make(const struct world *world);

/* The smallest range that holds all of them; size 0: there are none. */
void look_images_range(uintptr_t *base, uintptr_t *size);

/* Memory is mapped there: words that point into it point to what is there now. */
void look_images_mapped(uintptr_t start, uintptr_t end);

/*
 * A word that points into the range; in a module's block of that place (and
 * start in place), or block 0.
 */
void look_images_found(uintptr_t word, const struct scan_place *place, uint32_t block);

/* Afterwards: records what was found, if the look ran to its end. */
void look_images_end(bool done);

#endif
