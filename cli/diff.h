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

/* What was left of one kind at one place of one module, and not given back. */
struct diff_thing {
	char *key; /* module, stack and kind */
	const struct leaks *leaks;
	uint32_t place, kind;
	struct tally before, after;
	struct diff_growth left;
};

/* What a reload of one plugin adds of one kind, on average. */
struct diff_reload {
	const char *path;
	uint32_t kind;
	double before, after;
};

struct diff {
	const struct leaks *before, *after;
	struct diff_place *places; /* greatest growth first */
	size_t count;
	struct diff_growth leaked, kept, live;
	struct diff_thing *things; /* greatest growth first */
	size_t thing_count;
	struct diff_growth left[SESSION_RESOURCES];
	struct diff_reload *reloads; /* that are another size than before */
	size_t reload_count;
};

struct diff *diff_open(const struct leaks *before, const struct leaks *after);
void diff_close(struct diff *diff); /* NULL is fine; the sessions stay open */

/* A place at which leaked or kept memory grew, or at which more was left. */
bool diff_has_growth(const struct diff *diff);
/* Anything else than before but what is only shown with @all. */
bool diff_is_empty(const struct diff *diff);
bool diff_place_is_changed(const struct diff_place *place);

bool diff_thing_is_changed(const struct diff_thing *thing);
struct diff_growth diff_growth_of(struct tally before, struct tally after);

/* For diff_open and diff_close: what is no memory.  @key of @place is copied. */
void diff_things_add(struct diff *diff, const struct leaks *leaks, const struct leaks_place *place,
	const char *key);
void diff_things_end(struct diff *diff);
void diff_things_close(struct diff *diff);

void diff_write_text(const struct diff *diff, bool all, const struct paper *paper);
void diff_write_json(const struct diff *diff, bool all, FILE *out);

#endif
