/* SPDX-License-Identifier: MIT */
/*
 * What modules acquire, by kind: names, words and sets of kinds.  Memory,
 * threads and so on are kinds here as well, behind those of a session's
 * balances.
 */
#ifndef RELIB_RESOURCES_H
#define RELIB_RESOURCES_H

#include "cli/session-file.h"

enum {
	KIND_UNKNOWN, /* of a newer relib */
	/* enum session_resource */
	KIND_MEMORY = SESSION_RESOURCES,
	KIND_THREAD,
	KIND_THREAD_LOCAL,
	KIND_KEY,
	KINDS
};

struct resource_kind {
	const char *name;	   /* "shm-name", in JSON and for --kind */
	const char *noun, *plural; /* "name of shared memory" */
	const char *undone;	   /* "removed" by relib; NULL: relib leaves it alone */
	bool is_state;		   /* of the process, which a host may want to be changed */
};

/* Of any number. */
const struct resource_kind *resource_kind(uint32_t kind);

/* The kind of a session's balance, KIND_UNKNOWN for one that this program does not know. */
static inline uint32_t resource_kind_of(const struct session_balance *balance)
{
	return balance->kind < SESSION_RESOURCES ? balance->kind : KIND_UNKNOWN;
}

/* "left", "kept", "taken-back", "given-back" or "unknown". */
const char *leftover_state_name(uint32_t state);

/* Bit i: kind i. */
typedef uint64_t kind_set;
#define KINDS_ALL (~(kind_set)0)
#define KINDS_HAS(set, kind) ((set) >> (kind)&1)

/*
 * @text: names of kinds and groups of them, joined by commas.  -1 and @error,
 * which lists what there is, when one is unknown.
 */
int kinds_parse(const char *text, kind_set *set, struct error *error);

#endif
