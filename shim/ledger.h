/* SPDX-License-Identifier: MIT */
/*
 * The ledger: each thing that a module acquired and that has not been given
 * back, by its kind and the key that the program knows it by (an address, an
 * id, a hash of a name).  Descriptors have a table of their own (descriptors.h)
 * and so have mappings (mappings.h).
 *
 * What a generation still has when it is unloaded stays here until the program
 * gives it back, since it may have been handed over.
 *
 * Any thread.  A lock that cannot be had (in a signal handler that interrupted
 * the ledger) means that the thing is not recorded.  errno is kept.
 */
#ifndef RELIB_LEDGER_H
#define RELIB_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/balances.h"
#include "shim/module.h"

struct holding {
	uint64_t key;
	uint32_t generation; /* its record: the balance's may be long out of memory */
	uint32_t balance;    /* tells the generation, the kind and the place */
	uint32_t leftover;   /* its record once it was found left, or 0 */
	uint8_t kind;	     /* enum session_resource */
	uint32_t text;	     /* string of the session (ledger_text), or 0 */
	uint64_t bytes;
	uint64_t data[3]; /* for the kind's own part to use */
};

/*
 * In the interposer itself: whose the call is; place 0: the host's, and nothing
 * is to be recorded.  Two loads and two compares for a host's call.
 */
#define CALL_ORIGIN() call_origin(CALLER_FRAME())
static inline struct origin caller_origin(const struct caller *caller)
{
	struct origin origin = {0};
	uint32_t code;

	if (__builtin_expect(!module_may_own(caller->pc, &code), 1) || thread_self.vforked)
		return origin;
	origin = module_origin(caller, code);
	return origin.place > HEAP_PLACE_LOADER ? origin : (struct origin){0};
}

static inline __attribute__((always_inline)) struct origin call_origin(const uintptr_t *frame)
{
	struct caller caller = caller_of(frame, CALLER_BP(frame));

	return caller_origin(&caller);
}

/* How many holdings of each kind there are. */
extern uint32_t ledger_counts[SESSION_RESOURCES];

/* Nobody has one: what the host gives back is no module's.  One load. */
static inline bool ledger_is_empty(enum session_resource kind)
{
	return __builtin_expect(!__atomic_load_n(&ledger_counts[kind], __ATOMIC_RELAXED), 1);
}

/*
 * origin acquired one (like: kind, key, bytes, text, data; the rest is filled
 * in), and it is counted.  One with the same kind and key is given back by
 * that.  origin with place 0: the host acquired it; only the latter happens.
 * False: it was not recorded.
 */
bool ledger_acquire(struct origin origin, const struct holding *like);

/* The program gave it back: counted, and *was is what it was.  False: nobody's. */
bool ledger_give_back(enum session_resource kind, uint64_t key, struct holding *was);

/* A copy of it as it is now.  False: nobody's. */
bool ledger_find(enum session_resource kind, uint64_t key, struct holding *copy);

/* Changes data, text and leftover of the one with holding's kind and key to holding's. */
void ledger_change(const struct holding *holding);

/* Takes it out, uncounted. */
void ledger_forget(enum session_resource kind, uint64_t key);

/*
 * What an unload finds of a holding.  _left: it is left, and recorded once; the
 * holding stays.  _taken_back: relib took it back, and it is recorded.  _was_gone:
 * it had been given back before.  text and why as for leftover_add.
 */
void ledger_left(const struct holding *holding, uint64_t number, const char *text, const char *why);
void ledger_taken_back(const struct holding *holding, uint64_t number, const char *text);
void ledger_was_gone(const struct holding *holding);

/*
 * What a look finds of one: recorded, or, where it has been, what is recorded is
 * changed.  root: of SESSION_KEPT, else NULL.  With SESSION_TAKEN_BACK it is
 * counted; the ledger must forget it then.
 */
void ledger_looked_at(const struct holding *holding, enum session_leftover_state state,
	uint64_t number, const struct session_root *root, const char *why);

/*
 * Calls visit with a copy of each of the kind that a generation has (record in
 * SESSION_GENERATIONS; 0: any generation), without the lock: visit may call
 * what it likes.  What is added or goes meanwhile may be among them or not.
 */
void ledger_each(enum session_resource kind, uint32_t generation,
	void (*visit)(const struct holding *holding, void *data), void *data);

/* The text in the session, once for each text that is the same as the last few. */
uint32_t ledger_text(const char *text);

/* A hash for names as keys; never 0. */
uint64_t ledger_hash(const char *text);

void ledger_fork_child(void);

#endif
