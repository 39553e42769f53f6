/* SPDX-License-Identifier: MIT */
/*
 * What a module changes of the process's state: the environment, the locale, the
 * umask, the working directory.  A change stands in the ledger until what is
 * there is again what the module had found, or somebody else changes it.
 *
 * data[0] of such a holding tells what was there before the generation's first
 * change, data[1] what the generation made of it last: numbers or hashes.
 */
#ifndef RELIB_CHANGES_H
#define RELIB_CHANGES_H

#include "shim/ledger.h"

/* The generation of origin has changed it before: what was there is known. */
bool change_is_known(struct origin origin, enum session_resource kind, uint64_t key);

/*
 * origin changed it (like: kind, key, text, data); place 0: the host did, and
 * whosever change there was is over.  Keeps errno.
 */
void change_made(struct origin origin, const struct holding *like);

/*
 * An unload finds that change, and that now is what is there; it is left, and
 * recorded with text (NULL: the holding's), unless somebody else changed it.
 */
void change_settle(const struct holding *holding, uint64_t now, const char *text);

#endif
