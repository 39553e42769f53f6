/* SPDX-License-Identifier: MIT */
/*
 * dlclose: whether a module can go, what runs before it goes, and what is said
 * when it does not.
 *
 * One dlclose is an attempt: what would be unmapped is foretold (link-maps.h)
 * and marked (struct generation's goes), and the threads that stand in the way
 * are found (blockers.h).  With none, the loader gets the call.  Else it is
 * refused, or deferred: the loader does not get it, the object owes it one, and
 * the last thread that leaves makes up for it.  A dlopen in the meantime finds
 * the module as it is.
 */
#ifndef RELIB_UNLOADING_H
#define RELIB_UNLOADING_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/world.h"

struct object;

/* dlclose(handle), called from the state caller. */
int unloading_close(void *handle, const struct world_caller *caller);

/*
 * Called by a thread that a module created, at its very end: nothing but the C
 * library's code runs in it after this.  If unloads wait for threads, and this
 * was the last, they are done here.  Keeps errno.
 */
void unloading_thread_over(void);

/* The same where a thread has returned from a module's code. */
void unloading_thread_left(void);

/*
 * A loaded object is about to be opened again: if an unload of it has begun
 * that waits for threads, that is over.  May call the module's initializers.
 */
void unloading_revive(struct object *object, int flags);

/*
 * Something is about to be loaded.  It may need a library whose finalizers ran,
 * and that went along with a module that waits: such a library is set up again.
 * May call initializers.
 */
void unloading_before_load(void);

void unloading_fork_child(void);

#endif
