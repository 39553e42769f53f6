/* SPDX-License-Identifier: MIT */
/* Names that begin with a slash and are no paths: of shared memory, queues, semaphores. */
#ifndef RELIB_POSIX_NAMES_H
#define RELIB_POSIX_NAMES_H

#include <stdint.h>

#include "shim/session-format.h"

/* With a slash or without one: the same name. */
uint64_t posix_name_key(const char *name);

/* The identity (identity.h) of the file that the C library has for it, 0: none. */
uint64_t posix_name_identity(const char *prefix, const char *name);

/* The program removed it. */
void posix_name_removed(enum session_resource kind, const char *name);

#endif
