/* SPDX-License-Identifier: MIT */
/* The generations of one module in the report for people, those that are alike in one line. */
#ifndef RELIB_TEXT_GENERATION_H
#define RELIB_TEXT_GENERATION_H

#include "cli/leaks.h"
#include "cli/paper.h"

/* The balances of generations that differ are summed up, unless @all. */
void text_generations_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all);

/* Loaded as it should be, or gone without a trace; but for its memory (place_is_for_text) and
 * pointers to it in heap memory. */
bool generation_is_quiet(const struct leaks *leaks, uint32_t generation);

#endif
