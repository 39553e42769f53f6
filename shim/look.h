/* SPDX-License-Identifier: MIT */
/*
 * The look itself, with the world stopped: which blocks of dead generations
 * are still referred to, and from where; and what points into the images that
 * went (look-images.h).
 *
 * Candidates are all live blocks of generations that are looked at or dead, and
 * the mappings that they left (look-mappings.h).  Roots are all memory outside
 * of these and of the module heap, and the blocks of living owners; from there
 * references are followed through candidates.  What the C library
 * itself refers to (stdout's buffer, the environment) is looked at last, so
 * that "kept for the C library" means that nobody else keeps it.
 *
 * No roots are: the unmapped images, their thread-local blocks in each thread,
 * the shim's own memory, and dead stack.
 */
#ifndef RELIB_LOOK_H
#define RELIB_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/scan.h"
#include "shim/world.h"

enum look_referrer {
	LOOK_NOBODY,
	LOOK_MEMORY, /* place says where */
	LOOK_BLOCK,  /* a block or mapping of a module; place.address lies in it */
};

/* Where a candidate was found referred to. */
struct look_reference {
	bool runtime;		  /* by the C library only */
	uint8_t referrer;	  /* enum look_referrer */
	uint32_t referrer_place;  /* LOOK_BLOCK: of the referring block */
	uint64_t referrer_offset; /* in it */
	struct scan_place root;
};

/* What was found for one generation and place. */
struct look_tally {
	uint32_t place;
	uint16_t generation;
	uint64_t leaked_blocks, leaked_bytes;
	uint64_t kept_blocks, kept_bytes;
	uint64_t runtime_blocks, runtime_bytes;
	struct look_reference reference; /* to the first kept block */
};

struct look {
	/* in */
	bool free_leaked; /* quarantine them at once */
	uint16_t era;	  /* of the quarantine */
	/* out */
	bool done;     /* the look ran to its end */
	int error;     /* why not */
	bool given_up; /* it did not, and there is nothing that a later one could free */
	struct look_tally *tallies; /* table of tally_size, entries with place 0 are empty */
	size_t tally_size;
	uint64_t bytes;	      /* memory read */
	uint64_t quarantined; /* bytes put under quarantine */
	uint32_t quarantined_blocks;
};

/* For world_stop; data is a struct look. */
void look_at_world(const struct world *world, void *data);

/*
 * True when there are candidates that were not looked at yet, or that others
 * than the C library referred to.  Else marks the generations that have some
 * as used: what the C library alone holds, it holds for long.  Without
 * stopping: an estimate.
 */
bool look_has_candidates(void);

/* Fills the tallies with all candidates as kept, without a look at memory. */
bool look_at_candidates(struct look *look);

/* Gives the tallies' memory back. */
void look_end(struct look *look);

/* Before world_stop: notes the ranges that the look will need to know. */
void look_prepare(struct look *look);

#endif
