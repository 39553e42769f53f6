/* SPDX-License-Identifier: MIT */
/*
 * Mappings that unloaded generations left, in a look: as long as nobody refers
 * to one it is no root, and what it holds is not read.  One that is not
 * reached is leaked, and unmapped with leaks=free.
 *
 * Reached from the start are those that the kernel uses by itself: a thread's
 * stack, its signal stack, code that handles a signal.
 */
#ifndef RELIB_LOOK_MAPPINGS_H
#define RELIB_LOOK_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/look.h"
#include "shim/scan.h"
#include "shim/world.h"

struct mapped;

struct look_mapping {
	struct mapped *mapped;
	uint64_t number; /* its */
	uintptr_t start, end;
	uint64_t bytes;
	uint32_t text;
	uint32_t part; /* the first readable part, from 1; 0: none yet */
	bool reached;
	bool gone;	 /* the kernel knows nothing of it */
	const char *why; /* not looked for, or kept; NULL */
	struct look_reference reference;
};

/* Before the world is stopped. */
void look_mappings_begin(void);

/* With the world stopped, after look_images_make; false when there is no memory. */
bool look_mappings_make(const struct world *world);

/* Candidates. */
size_t look_mappings_count(void);

/* Widens the ranges that the scan knows of by theirs. */
void look_mappings_range(struct scan *scan);

/* What is not to be read as memory of anybody's: how many, and, unless to is NULL, what. */
size_t look_mappings_excluded(struct scan_range *to);

/* The scan has left it out. */
void look_mappings_left_out(uintptr_t start, uintptr_t end, bool shared);

/* The candidate that has the address, or NULL. */
struct look_mapping *look_mappings_at(uintptr_t address);

/* By which stack it was made. */
uint32_t look_mapping_place(const struct look_mapping *mapping);

/* Reads what is readable of one that was reached. */
void look_mapping_read(const struct look_mapping *mapping, struct scan *scan);

/*
 * Afterwards: records what is left, and unmaps what is leaked.  done: the look
 * ran to its end; why not, for people.
 */
void look_mappings_end(bool done, const char *why);

/*
 * Marks the generations that have candidates as used, so that a later look
 * finds them.  False: it cannot be told.  *some: there are any.
 */
bool look_mappings_use(bool *some);

#endif
