/* SPDX-License-Identifier: MIT */
/*
 * One dlclose that may unload a module: what goes with it, what is in the way,
 * and how it ends.  All of it is under the lock of unloads (unload.h), which is
 * given back while code of the module runs.
 */
#ifndef RELIB_ATTEMPT_H
#define RELIB_ATTEMPT_H

#include "shim/blockers.h"
#include "shim/generation.h"
#include "shim/link-maps.h"
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

/* One dlclose; not on the stack of the thread, which may be small. */
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

/* Objects that owe the loader a dlclose. */
extern _Atomic uint32_t deferred_count;

static inline bool is_still(const struct going *going)
{
	const struct generation *generation = generation_at(going->generation);

	return going->generation && generation->state == GENERATION_ALIVE &&
	       generation->record == going->record;
}

/* NULL: no memory. */
struct attempt *attempt_make(void);
void attempt_drop(struct attempt *attempt);

/* Finds out and marks what goes.  False: nothing that is tracked. */
bool attempt_foretell(struct attempt *attempt, struct object *root);
void attempt_unmark(struct attempt *attempt);

/* What finalizers took down is set up again, dependencies first.  No lock is held. */
void attempt_undo(struct attempt *attempt);

/* What dlclose is to return.  Enters locked, leaves unlocked. */
int attempt_run(struct attempt *attempt, const struct world_caller *caller);

void attempt_fork_child(void);

#endif
