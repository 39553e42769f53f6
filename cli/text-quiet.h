/* SPDX-License-Identifier: MIT */
/*
 * Modules of which there is little to say, in the report for people: those that
 * left nothing, that were never unloaded, that nobody closed.  Hosts have many.
 */
#ifndef RELIB_TEXT_QUIET_H
#define RELIB_TEXT_QUIET_H

#include "cli/leaks.h"
#include "cli/paper.h"

struct text_quiet;

struct text_quiet *text_quiet_open(const struct leaks *leaks);
void text_quiet_close(struct text_quiet *quiet);

/* It is told of in text_quiet_print, or is none of what was asked for. */
bool text_quiet_has(const struct text_quiet *quiet, const struct leaks_module *module);
void text_quiet_print(const struct paper *paper, const struct text_quiet *quiet);

#endif
