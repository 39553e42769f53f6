/* SPDX-License-Identifier: MIT */
/*
 * One attempt to unload: what would go is foretold and marked (struct
 * generation's goes), the threads in the way are found, and it is done,
 * deferred or refused.  As long as it is marked, no other thread attempts it.
 */
#ifndef RELIB_ATTEMPT_H
#define RELIB_ATTEMPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/blockers.h"
#include "shim/objects.h"
#include "shim/world.h"

#define GOING_MOST 1024u /* objects that go in one dlclose and are looked after */

/* One object that goes. */
struct going {
	struct object *object;
	uint32_t record; /* of its generation, 0: not tracked */
	uint16_t generation;
	bool early; /* its finalizers may end a thread that is in the way */
};

/* Not on the stack of the thread, which may be small. */
struct attempt {
	struct attempt *next; /* while it is spare */
	uint32_t number;
	void *handle;
	struct object *root;
	uint32_t root_record;
	uint32_t closes; /* calls that the loader is to get */
	bool tracked;	 /* something that goes is a module */
	bool deferred;	 /* made up for, not asked for now */
	size_t count;
	struct blockers blockers;
	struct going going[GOING_MOST]; /* from here on not cleared */
	uint32_t slots[GOING_MOST];
};

/* Objects that owe the loader a dlclose, at least. */
extern _Atomic uint32_t attempt_deferrals;

/* NULL: no memory. */
struct attempt *attempt_make(void);
void attempt_drop(struct attempt *attempt);

/* Locked.  False: nothing goes that is tracked, or another thread is at it. */
bool attempt_foretell(struct attempt *attempt, struct object *root);
void attempt_unmark(struct attempt *attempt);

/* Enters locked, leaves unlocked.  The result is dlclose's. */
int attempt_run(struct attempt *attempt, const struct world_caller *caller);

/*
 * Sets up again what finalizers took down, dependencies first.  Marked, and no
 * lock is held: calls the modules.
 */
void attempt_undo(struct attempt *attempt);

/*
 * Nothing of ours goes: the loader's own business, but for why something stays.
 * object: counted as under way, or NULL.
 */
int attempt_plain(void *handle, struct object *object, const struct world_caller *caller);

/* The calls of dlclose that would be left, were all under way done. */
uint32_t attempt_opens_left(const struct object *object);

void attempt_fork_child(void);

/* Of attempt.c and attempt-modules.c. */
bool attempt_is_still(const struct going *going);
void attempt_how(const struct attempt *attempt, uint32_t how);
bool attempt_has_hooks(const struct attempt *attempt);
/*
 * Decides whose finalizers are to run early: of those that created the threads
 * in the way, and of what uses these.  Others may be needed by a module that
 * comes while this one waits, and are left as they are.
 */
void attempt_choose_early(struct attempt *attempt);
/* Of those chosen, or of all. */
bool attempt_has_finalizers(const struct attempt *attempt, bool all);
/* Something that goes had its finalizers undone before: the loader alone would leave some out. */
bool attempt_was_revived(const struct attempt *attempt);
/* Runs relib_before_unload.  False: it did not come back.  Enters and leaves locked. */
bool attempt_hooks_watched(struct attempt *attempt);
/*
 * Run the finalizers of those chosen or of all, dependents first, with the
 * watchdog or without.  No lock is held.  finish: of all, and what comes last.
 */
bool attempt_finalize_watched(struct attempt *attempt, bool finish);
void attempt_finalize(struct attempt *attempt, bool all);
void attempt_finish(struct attempt *attempt);

#endif
