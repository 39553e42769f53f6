/* SPDX-License-Identifier: MIT */
/* One place of the report for people: what it left, who refers to it, its stack. */
#ifndef RELIB_TEXT_PLACE_H
#define RELIB_TEXT_PLACE_H

#include "cli/leaks.h"
#include "cli/paper.h"

/* Shown without being asked for: something leaked, kept, left, or freed too late. */
bool place_is_for_text(const struct leaks *leaks, const struct leaks_place *place);

/* @all: also what was not left. */
void text_place_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_place *place, bool all);

#endif
