/* SPDX-License-Identifier: MIT */
/* The threads of one module in the report for people. */
#ifndef RELIB_TEXT_THREAD_H
#define RELIB_TEXT_THREAD_H

#include "cli/leaks.h"
#include "cli/paper.h"

/*
 * The places that created threads, with those that run and where they stand,
 * and the host's threads that an unload waits for.  Not @all: a few places.
 */
void text_threads_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all);

#endif
