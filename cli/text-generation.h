/* SPDX-License-Identifier: MIT */
/* The generations of one module in the report for people, those that are alike in one line. */
#ifndef RELIB_TEXT_GENERATION_H
#define RELIB_TEXT_GENERATION_H

#include "cli/leaks.h"
#include "cli/paper.h"

void text_generations_print(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module);

/* Loaded, and nobody asked for anything else; nothing is to be said about it. */
bool generation_is_quiet(const struct leaks *leaks, uint32_t generation);

#endif
