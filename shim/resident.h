/* SPDX-License-Identifier: MIT */
/*
 * Which pages of a large mapping hold anything, so that reading it does not
 * walk through (or bring into being) what was never touched.
 */
#ifndef RELIB_RESIDENT_H
#define RELIB_RESIDENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resident {
	int fd;	       /* /proc/self/pagemap; -1 when it cannot be opened */
	bool no_ioctl; /* Linux before 6.7 */
	void *buffer;
	size_t size;
};

/* buffer: 4 KiB or more, aligned for a uint64_t. */
void resident_open(struct resident *resident, void *buffer, size_t size);
void resident_close(struct resident *resident);

/*
 * The first stretch of pages at or after *start and before end that hold
 * something: sets *start and *stop.  Returns 1, or 0 when there is none, or
 * -errno when it cannot be told.  Both are page addresses.
 *
 * In a private mapping these are the pages present or swapped out.  In a
 * shared one they are the pages in core: what was written to a file and left
 * memory since, or was swapped out of shared memory, is not among them.
 */
int resident_next(
	struct resident *resident, bool shared, uintptr_t *start, uintptr_t *stop, uintptr_t end);

#endif
