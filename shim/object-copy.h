/* SPDX-License-Identifier: MIT */
/* Keeping a copy of a module's file. */
#ifndef RELIB_OBJECT_COPY_H
#define RELIB_OBJECT_COPY_H

#include "shim/objects.h"
#include "shim/session-format.h"

/* A hash of the file's content; 0 when it cannot be read. */
uint64_t object_file_hash(const char *path);

/*
 * Copies the file that the object was mapped from into the session's folder of
 * objects, once per content, and sets copy or copy_errno of the record.
 */
void object_file_keep(const struct object *object, const char *path, struct session_object *record);

#endif
