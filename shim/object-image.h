/* SPDX-License-Identifier: MIT */
/* What a mapped ELF image says of itself. */
#ifndef RELIB_OBJECT_IMAGE_H
#define RELIB_OBJECT_IMAGE_H

#include "shim/objects.h"

/* Fills start, end, unwind and tls_size from the program headers. */
void image_read(struct object *object);

/* DT_SONAME, or NULL. */
const char *image_soname(const struct object *object);

/* True when one of the image's DT_NEEDED is called name. */
bool image_needs(const struct object *object, const char *name);

/* The GNU build-id and its size in bytes; NULL when there is none. */
const unsigned char *image_build_id(const struct object *object, size_t *size);

/* The last component of a path. */
const char *path_base(const char *path);

#endif
