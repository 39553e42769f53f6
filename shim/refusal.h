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

/* The same where it was closed as often as it was opened, and is only waiting. */
void refusal_not_open(const struct object *object);

#endif
