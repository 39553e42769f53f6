/* SPDX-License-Identifier: MIT */
/*
 * An ELF file on disk, looked at without being loaded: what it is, whether all
 * of it is there, and its build-id.
 */
#ifndef RELIB_IMAGE_H
#define RELIB_IMAGE_H

#include "elf/error.h"

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#define BUILD_ID_MAX 32 /* bytes; longer ones are cut */

struct image {
	const char *path; /* the caller's */
	int fd;
	struct stat stat;
	Elf *elf;
	GElf_Ehdr header;
};

struct build_id {
	size_t size; /* 0: the file has none */
	uint8_t bytes[BUILD_ID_MAX];
};

/*
 * Opens a regular ELF file of any class and machine.  Errors: no such file, no
 * permission, not a regular file, not ELF.  Closed by image_close, also after
 * an error.
 */
int image_open(struct image *image, const char *path, struct error *error);
void image_close(struct image *image);

/* 64-bit, of this machine and byte order. */
int image_check_machine(const struct image *image, struct error *error);

/* Every segment and the section table end within the file. */
int image_check_whole(const struct image *image, struct error *error);

/* A shared object that dlopen accepts: ET_DYN, dynamic, no position independent program. */
int image_check_shared(const struct image *image, struct error *error);

/* The program interpreter or NULL: a program without one is static. */
const char *image_interpreter(const struct image *image);

void image_build_id(const struct image *image, struct build_id *id);

/* The build-id of the file at @path; size 0 if it has none or cannot be read. */
void build_id_read(const char *path, struct build_id *id);

#endif
