/* SPDX-License-Identifier: MIT */
/* What was left at one place besides memory, and what it is, for people. */
#ifndef RELIB_TEXT_LEFTOVER_H
#define RELIB_TEXT_LEFTOVER_H

#include "cli/leaks.h"
#include "cli/paper.h"

/* Something is there that was left and not given back since. */
bool place_has_leftovers(const struct leaks *leaks, const struct leaks_place *place);

/* @all: also what was given back. */
void text_leftovers_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_place *place, bool all);

/* "descriptor 5: /tmp/log", "mutex host: g_lock (host.c:12), held by thread 7"; to be freed. */
char *leftover_text(
	const struct leaks *leaks, const struct session_leftover *leftover, bool with_number);

#endif
