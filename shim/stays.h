/* SPDX-License-Identifier: MIT */
/* Why a module is still there after a dlclose: records in SESSION_STAYS. */
#ifndef RELIB_STAYS_H
#define RELIB_STAYS_H

#include "shim/blockers.h"
#include "shim/objects.h"

/*
 * The loader keeps the object though it was closed: finds out why and records
 * it.  What was recorded for it before and is not so any more is marked.
 */
void stays_note(struct object *object);

/*
 * Something else went: the reasons of those that stay may be others now.  Of
 * those that nobody closes, as they came with what went, they are recorded too.
 */
void stays_refresh(void);

/* It waits for threads, or was refused because of them, or never comes back. */
void stays_note_threads(struct object *object, const struct blockers *blockers, bool refused);
void stays_note_timeout(struct object *object);

/* Nothing keeps it any more: it goes, or it was opened again. */
void stays_clear(uint16_t generation);

#endif
