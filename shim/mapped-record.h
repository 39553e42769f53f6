/* SPDX-License-Identifier: MIT */
/*
 * What became of a mapping that a generation left, in the session.  With the
 * world going on: any of them may be unmapped meanwhile.
 */
#ifndef RELIB_MAPPED_RECORD_H
#define RELIB_MAPPED_RECORD_H

#include <stdbool.h>
#include <stddef.h>

struct look_mapping;

/* What they are (text), and whether they are there at all (gone).  Sorted by address. */
void mapped_describe(struct look_mapping *list, size_t count);

/* It had been unmapped behind our back. */
void mapped_was_gone(const struct look_mapping *mapping);

/* Somebody refers to it; it is looked at again. */
void mapped_kept(const struct look_mapping *mapping);

/* Nobody does: unmaps it. */
void mapped_take_back(const struct look_mapping *mapping);

/* Left as it was.  why may be NULL.  again: a later look may find out more. */
void mapped_left(const struct look_mapping *mapping, const char *why, bool again);

#endif
