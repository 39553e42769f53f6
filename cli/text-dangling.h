/* SPDX-License-Identifier: MIT */
/* What points into the unmapped images of one module, in the report for people. */
#ifndef RELIB_TEXT_DANGLING_H
#define RELIB_TEXT_DANGLING_H

#include "cli/leaks.h"
#include "cli/paper.h"

/* @all: each of them, also those that may be stale; else they are summed up. */
void text_danglings_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all);

#endif
