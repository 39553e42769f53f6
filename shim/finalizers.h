/* SPDX-License-Identifier: MIT */
/*
 * An object's finalizers (DT_FINI_ARRAY, DT_FINI), run before the loader would:
 * one that stops and joins a worker thread must have run before it is known
 * whether a thread is left.  They run exactly once: the dynamic section is
 * changed so that the loader finds none.
 */
#ifndef RELIB_FINALIZERS_H
#define RELIB_FINALIZERS_H

#include <stdbool.h>

#include "shim/objects.h"

/* What the program was started with: initializers get it. */
void finalizers_arguments(int argc, char **argv);

/*
 * True when it has some that did not run and that may do anything.  What the
 * compiler's start files bring for themselves ends no thread.
 */
bool finalizers_are_there(const struct object *object);

/*
 * True when the object's finalizers end in a call of __cxa_finalize; objects
 * linked without the compiler's start files have none.
 */
bool finalizers_finish(const struct object *object);

/* Runs them.  Calls the module: no lock may be held. */
void finalizers_run(struct object *object);

/*
 * The object is opened again after its finalizers ran: its initializers run
 * once more, and its finalizers are there again.  Calls the module.
 */
void finalizers_undo(struct object *object);

#endif
