/* SPDX-License-Identifier: MIT */
/* Why a module is still loaded, and by which threads, in words. */
#ifndef RELIB_STAY_H
#define RELIB_STAY_H

#include "cli/leaks.h"

const char *closing_name(unsigned int closing); /* "deferred" */
const char *stay_kind_name(unsigned int kind);	/* "needed" */

/* One sentence without a full stop, to be freed: "needed by b.so". */
char *stay_text(const struct leaks *leaks, const struct session_stay *stay);

/* "thread 123 (worker)", to be freed. */
char *thread_text(const struct session_thread *thread);

/* Where it stood when an unload waited for it: the frame in that module, else the innermost. */
char *thread_stand_text(
	const struct leaks *leaks, const struct session_thread *thread, uint32_t home);

/* The function that created it, to be freed; NULL if that is not known. */
char *thread_creator_text(const struct leaks *leaks, const struct session_thread *thread);

/* The frame of a place that made its module the owner: it tells most; to be freed, or NULL. */
char *place_owner_text(const struct leaks *leaks, uint32_t place);

#endif
