/* SPDX-License-Identifier: MIT */
/*
 * What the modules of one session left, ordered for reporting: modules, each
 * with its generations and its places, each place with its residues, each
 * generation with its threads, the reasons why it stays, and what still points
 * into it.
 */
#ifndef RELIB_LEAKS_H
#define RELIB_LEAKS_H

#include "cli/names.h"
#include "cli/resources.h"
#include "cli/session-file.h"

struct index_list {
	uint32_t *index;
	size_t count;
};

struct leaks_place {
	uint32_t index;
	const struct session_place *record;
	struct place_totals totals;
	struct index_list residues, balances, leftovers;
	uint64_t things; /* left by unloaded generations and not given back since, no memory */
};

/* What is told of one generation besides its memory: records of these tables. */
struct leaks_generation {
	struct index_list threads; /* its own, and others that its unload waits for */
	struct index_list stays;
	struct index_list danglings;		/* those that may be stale last */
	struct index_list late_calls, timeouts; /* notes */
	struct index_list balances, leftovers;
};

/* What stays behind with each unload of the generations after the first. */
struct growth {
	size_t generations; /* of them; 0: there is nothing to say */
	bool blind;	    /* the memory of some was not looked through */
	struct growth_kind {
		struct tally least, most, sum;
	} kinds[KINDS];
};

struct balance_sum;

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
	uint64_t threads_started, threads_ended;		/* at all places */
	struct balance_sum *sums; /* of all generations, by kind (balance.h) */
	struct growth *growth;	  /* of all builds of its path */
	bool last_of_path;	  /* of those builds */
};

/* What is wrong with the unloading of modules, counted. */
struct leaks_faults {
	size_t not_unloaded;	       /* generations still loaded though they were closed */
	size_t threads_left;	       /* running ones of generations that were closed */
	uint64_t late_calls, timeouts; /* times */
	uint64_t things;	       /* left, of all kinds but memory and threads */
	uint64_t changes;	       /* left, of the process's state: a warning */
	size_t dangling;	       /* places outside; without hooks taken back and what may be
					* stale.  A warning: none of the faults of leaks_is_at_fault */
};

struct leaks {
	const struct session *session;
	struct names *names;
	struct leaks_generation *generations; /* of generation i of the session */
	struct leaks_module *modules;	      /* one brought by another comes after it */
	size_t module_count;
	size_t file_count; /* distinct paths among them */
	size_t unloaded;   /* generations */
	struct tally leaked, reclaimed, kept, runtime, dropped;
	struct tally left[SESSION_RESOURCES];	/* and not given back later */
	struct tally behind[SESSION_RESOURCES]; /* nor taken back */
	struct leaks_faults faults;
	kind_set kinds; /* that are asked for; the others are no faults */
};

/* What is to be told: of modules that the glob matches by path or file name, NULL: all. */
struct leaks_scope {
	const char *module_glob;
	kind_set kinds;
};

/* @scope NULL: everything. */
struct leaks *leaks_open(const struct session *session, const struct leaks_scope *scope);
void leaks_close(struct leaks *leaks); /* NULL is fine; the session stays open */

/*
 * Something to say about it: memory left or freed too late, threads created,
 * or anything else acquired.
 */
bool leaks_place_is_of_note(const struct leaks *leaks, const struct leaks_place *place);

/*
 * Anything that a build should fail for.  What the C library holds, what was
 * given back later and changes of the process's state do not count.
 */
bool leaks_is_at_fault(const struct leaks *leaks);

/* A dlclose should have unloaded it, and it is still loaded. */
bool generation_is_stuck(const struct session_generation *generation);

/* Nobody asked for it to go: it came with a generation that is gone. */
bool generation_is_left_behind(
	const struct session *session, const struct session_generation *generation);

/* The word lay on a stack or in a register: it may be a leftover that nobody reads again. */
bool dangling_may_be_stale(const struct session_dangling *dangling);

/* The word lay in heap memory of the host, which it may free without reading it. */
bool dangling_is_in_heap(const struct session_dangling *dangling);

/* For leaks_open and leaks_close: the lists of leaks->generations and leaks->faults. */
void leaks_unloading_open(struct leaks *leaks);
void leaks_unloading_close(struct leaks *leaks);
void index_add(struct index_list *list, uint32_t index);

#endif
