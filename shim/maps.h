/* SPDX-License-Identifier: MIT */
/*
 * The mappings of this process, one after the other, from /proc/self/maps.
 * Raw system calls only; any number of lines through one buffer.
 */
#ifndef RELIB_MAPS_H
#define RELIB_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAPS_NAME 48 /* longer names are cut */

struct mapping {
	uintptr_t start, end;
	bool read, write, shared;
	bool file; /* it has an inode: a file, memfd or shared memory */
	char name[MAPS_NAME];
	uint64_t offset;  /* in the file */
	const char *path; /* the whole name, until the next one is asked for */
	size_t path_length;
};

struct maps {
	int fd;
	int error; /* out: errno when the end was not reached */
	char *buffer, *at, *end;
	size_t size;
};

/* buffer: 8 KiB or more.  False with maps->error set. */
bool maps_open(struct maps *maps, void *buffer, size_t size);
/* False at the end and after an error. */
bool maps_next(struct maps *maps, struct mapping *to);
void maps_close(struct maps *maps);

#endif
