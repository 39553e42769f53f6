/* SPDX-License-Identifier: MIT */
/*
 * What grew and shrank from one session to another, by module and place.  A
 * module is known by its path's file name or soname, a place by the functions
 * of its stack and the offsets in them, so that rebuilt and moved code
 * compares with what it was.
 */
#ifndef RELIB_DIFF_H
#define RELIB_DIFF_H

#include "cli/leaks.h"
#include "cli/paper.h"

struct diff_growth {
	int64_t blocks, bytes;
};

/* One place of one module, in either or both sessions. */
struct diff_place {
	char *key;		   /* module and stack */
	const struct leaks *leaks; /* where the stack is to be read: AFTER if it is there */
	uint32_t place;		   /* in that session */
	struct place_totals before, after;
	struct diff_growth leaked, kept, live;
};

struct diff {
	const struct leaks *before, *after;
	struct diff_place *places; /* greatest growth first */
	size_t count;
	struct diff_growth leaked, kept, live;
};

struct diff *diff_open(const struct leaks *before, const struct leaks *after);
void diff_close(struct diff *diff); /* NULL is fine; the sessions stay open */

/* A place at which leaked or kept memory grew. */
bool diff_has_growth(const struct diff *diff);
bool diff_place_is_changed(const struct diff_place *place);

void diff_write_text(const struct diff *diff, bool all, const struct paper *paper);
void diff_write_json(const struct diff *diff, bool all, FILE *out);

#endif
