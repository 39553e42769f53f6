/* SPDX-License-Identifier: MIT */
/* What relib test checks, and the kinds of causes for which a check fails. */
#ifndef RELIB_CAUSE_KINDS_H
#define RELIB_CAUSE_KINDS_H

#include <stdbool.h>
#include <stddef.h>

enum check_id {
	CHECK_LOADS,
	CHECK_RUNS,
	CHECK_UNLOADS,
	CHECK_MEMORY,
	CHECK_KEPT,
	CHECK_RESOURCES,
	CHECK_THREADS,
	CHECK_POINTERS,
	CHECK_LATE,
	CHECK_GROWTH,
	CHECKS
};

struct cause_kind {
	const char *name;
	enum check_id check;
	const char *verb;	/* "left" */
	const char *one, *many; /* what is counted, NULL: nothing */
	const char *state;	/* behind the amount: "running"; or NULL */
	bool has_bytes;
	bool is_state; /* of the process, which a host may want to be changed: no failure */
};

const char *check_name(enum check_id check);  /* "threads" */
const char *check_words(enum check_id check); /* "leaves no thread" */

/* NULL if there is none of that name. */
const struct cause_kind *cause_kind_find(const char *name);

/* Whether @name, of a kind or of a check, is there to be allowed, and names @kind. */
bool cause_kind_is_known(const char *name);
bool cause_kind_is_named(const struct cause_kind *kind, const char *name);

#endif
