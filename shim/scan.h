/* SPDX-License-Identifier: MIT */
/*
 * Reading all memory of the process, once, with the world stopped, for words
 * that point into one of a few ranges of addresses.
 */
#ifndef RELIB_SCAN_H
#define RELIB_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/world.h"

enum scan_kind {
	SCAN_MAPPING_PRIVATE, /* data of an ELF file, heap, anonymous memory */
	SCAN_MAPPING_SHARED,
	SCAN_STACK,  /* live part of thread's stack */
	SCAN_THREAD, /* the thread's descriptor and its static TLS, above tp */
	SCAN_REGISTER,
};

/* Where a word was found. */
struct scan_place {
	enum scan_kind kind;
	uintptr_t address;    /* of the word; 0 for a register */
	pid_t tid;	      /* for STACK, THREAD and REGISTER */
	unsigned int reg;     /* index in registers, 255: vector register */
	uintptr_t sp;	      /* of that thread, for STACK */
	uintptr_t start, end; /* of the mapping or block that it lies in; 0: none */
};

struct scan_range {
	uintptr_t start, end;
};

#define SCAN_APART ((uintptr_t)1 << 43) /* the largest range that a scan can tell from others */

struct scan {
	/* in */
	uintptr_t base, size;		   /* words w with w - base < size are reported */
	uintptr_t other_base, other_size;  /* and so are those in this range; size 0: none */
	uintptr_t far_base, far_size;	   /* and in this; it takes longer with it */
	const struct scan_range *excluded; /* sorted by start, not overlapping: not read */
	size_t excluded_count;
	void (*found)(void *data, uintptr_t word, const struct scan_place *place);
	/* readable memory, code included, but not what is excluded; may be NULL */
	void (*mapped)(void *data, uintptr_t start, uintptr_t end);
	/* what is excluded and would be read otherwise; may be NULL */
	void (*left_out)(void *data, uintptr_t start, uintptr_t end, bool shared);
	void *data;
	/* out */
	uint64_t bytes; /* memory read */
	int error;	/* errno when the maps could not be read, else 0 */
};

/*
 * Reads every readable mapping of the process that is writable or anonymous
 * (from /proc/self/maps of the stopped process), the live part of each thread's
 * stack and all registers.  Called from within world_stop's look: takes no
 * lock, allocates nothing on the heap, uses raw system calls.  Device
 * mappings are left out; pages of large mappings that were never touched are
 * not touched.  A page that cannot be read after all is skipped.
 */
void scan_memory(struct scan *scan, const struct world *world);

/* Reads a stretch that was left out, as scan_memory would have: it is readable. */
void scan_stretch(struct scan *scan, uintptr_t start, uintptr_t end, struct scan_place *place);

/*
 * The inner loop, for one aligned stretch of memory: reports every word in it
 * that points into a range.  Also used to follow blocks.
 */
void scan_words(const struct scan *scan, const uintptr_t *start, const uintptr_t *end,
	struct scan_place *place);

#endif
