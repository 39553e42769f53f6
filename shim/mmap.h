/* SPDX-License-Identifier: MIT */
/*
 * mmap, munmap and mremap, by whatever function: the table of mappings (mappings.h)
 * is kept true.  Each returns what the function does, with its errno.
 */
#ifndef RELIB_MMAP_H
#define RELIB_MMAP_H

#include <stddef.h>

#include "shim/heap.h"

typedef void *mapper(void *start, size_t length, int protection, int flags, int fd, long offset);
typedef int unmapper(void *start, size_t length);
typedef void *remapper(void *old, size_t old_length, size_t length, int flags, ...);

void *map_noted(mapper *map, struct origin origin, void *start, size_t length, int protection,
	int flags, int fd, long offset);
int unmap_noted(unmapper *unmap, void *start, size_t length);
void *remap_noted(remapper *remap, struct origin origin, void *old, size_t old_length,
	size_t length, int flags, void *fixed);

#endif
