/* SPDX-License-Identifier: MIT */
/* Texts as XML wants them. */
#ifndef RELIB_JUNIT_H
#define RELIB_JUNIT_H

#include "cli/verdict.h"

/*
 * For an attribute or between elements, to be freed.  Characters that XML 1.0
 * cannot hold, in whatever notation, are replaced by U+FFFD.
 */
char *xml_text(const char *text);

#endif
