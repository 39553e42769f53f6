/* SPDX-License-Identifier: MIT */
/*
 * What the modules of one session left, ordered for reporting: modules, each
 * with its generations and its places, each place with its residues.
 */
#ifndef RELIB_LEAKS_H
#define RELIB_LEAKS_H

#include "cli/names.h"
#include "cli/session-file.h"

struct index_list {
	uint32_t *index;
	size_t count;
};

struct leaks_place {
	uint32_t index;
	const struct session_place *record;
	struct place_totals totals;
	struct index_list residues;
};

/* One content of one file: a rebuilt plugin is another module here. */
struct leaks_module {
	uint32_t object;
	uint32_t brought_by;	       /* object of the module that it came with, or 0 */
	uint32_t depth;		       /* how many modules that is away from a dlopen */
	uint32_t chief;		       /* object of the module at the end of that chain */
	struct index_list generations; /* by number */
	struct leaks_place *places;    /* most leaked bytes first */
	size_t place_count;
	size_t loaded;						/* generations still loaded */
	struct tally leaked, reclaimed, kept, runtime, dropped; /* of all places */
	struct tally live;					/* of generations still loaded */
};

struct leaks {
	const struct session *session;
	struct names *names;
	struct leaks_module *modules; /* one brought by another comes after it */
	size_t module_count;
	size_t file_count; /* distinct paths among them */
	size_t unloaded;   /* generations */
	struct tally leaked, reclaimed, kept, runtime, dropped;
};

/* @module_glob limits the modules by path or file name; NULL: all. */
struct leaks *leaks_open(const struct session *session, const char *module_glob);
void leaks_close(struct leaks *leaks); /* NULL is fine; the session stays open */

/* Something to say about it: anything left, or freed too late. */
bool leaks_place_is_of_note(const struct leaks_place *place);

#endif
