/* SPDX-License-Identifier: MIT */
/* What dlerror says of a refused dlclose. */
#ifndef RELIB_REFUSAL_H
#define RELIB_REFUSAL_H

#include "shim/blockers.h"
#include "shim/objects.h"

/*
 * Writes the message for the calling thread: which threads are in the way,
 * where each was created and where it stands.  Takes its time for the names.
 */
void refusal_set(const struct object *object, const struct blockers *blockers);

/* The same for an object that was closed as often as it was opened. */
void refusal_set_closed(const struct object *object);

#endif
