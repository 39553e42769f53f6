/* SPDX-License-Identifier: MIT */
/* The file below the session: extents, mapped at one address for good. */
#ifndef RELIB_SESSION_FILE_H
#define RELIB_SESSION_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/session-format.h"

/*
 * Reserves addresses, makes the file (or takes plain memory) and maps extent
 * 0, all zero but extent_count = 1.  NULL when there are not even addresses.
 */
struct session_header *session_file_make(void);

/*
 * Maps one more extent and returns its number; 0 when there is no room.  The
 * disk blocks are reserved before: a full disk must not become a SIGBUS.
 */
uint32_t session_file_grow(void);

/*
 * Of tables that grow with every load only the end is written to: lets go of
 * the pages of the others, which are in the file and come back when read.
 */
void session_file_rest(const uint16_t *extents, uint32_t count);

/* In a forked child: the same content, private to it, and no file. */
void session_file_detach(uint32_t extents);
bool session_file_detached(void);
/* Gives a detached session a new file, with all its content. */
void session_file_attach(void);

/* Gives back what is reserved beyond so many bytes and not in use. */
void session_file_limit(size_t most);

/* Address range of the mapping: no place for roots. */
void session_file_range(uintptr_t *start, uintptr_t *end);

#endif
