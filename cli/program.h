/* SPDX-License-Identifier: MIT */
/* The program that is to be run as host: where it is, and whether the shim can act in it. */
#ifndef RELIB_PROGRAM_H
#define RELIB_PROGRAM_H

#include "elf/error.h"

#define STATUS_FAILED 125 /* relib itself failed before the host ran */
#define STATUS_NOT_EXECUTABLE 126
#define STATUS_NOT_FOUND 127

/*
 * The file that the shell would run for @name, to be freed.  NULL and @error
 * with status 127 (not found) or 126 (not executable).
 */
char *program_find(const char *name, struct error *error);

/* One line why preloading will not act in @path, to be freed, or NULL. */
char *program_objection(const char *path);

#endif
