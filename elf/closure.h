/* SPDX-License-Identifier: MIT */
/*
 * A file with all libraries that loading it brings in, in the order in which
 * the loader searches them for symbols.
 */
#ifndef RELIB_CLOSURE_H
#define RELIB_CLOSURE_H

#include "elf/library-search.h"

struct closure_object {
	struct dynamic dynamic;
	struct library_user user;
	const char *name; /* by which it was needed; of the first ones their path */
	bool by_host;	  /* the program or a library that it brings in */
};

struct closure_missing {
	const char *name;
	const struct closure_object *user; /* the first that needs it */
	char *why;			   /* found, but unreadable: its error; else NULL */
};

struct closure {
	struct closure_object **objects;
	size_t count;
	struct closure_missing *missing;
	size_t missing_count;
	const struct closure_object *host; /* NULL: not known */
	const struct library_search *search;
};

/* An empty one; @search is the caller's. */
void closure_begin(struct closure *closure, const struct library_search *search);

/*
 * Adds the program at @path, which must come first, with its libraries.  What
 * it misses does not count: it may find it where only it looks.
 */
int closure_add_host(struct closure *closure, const char *path, struct error *error);

/* Adds the plugin at @path with its libraries; it is the object returned, or NULL and @error. */
const struct closure_object *closure_add(
	struct closure *closure, const char *path, struct error *error);

/* Adds what every host has, the C library, where nothing that was added needs it. */
void closure_add_runtime(struct closure *closure);

/* The object that is needed by the name @name, NULL if there is none. */
const struct closure_object *closure_named(const struct closure *closure, const char *name);

void closure_end(struct closure *closure);

#endif
