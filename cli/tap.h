/* SPDX-License-Identifier: MIT */
/* Texts as the Test Anything Protocol and its YAML want them; all are to be freed. */
#ifndef RELIB_TAP_H
#define RELIB_TAP_H

#include "cli/verdict.h"

/* For a description: no line end, and no '#' that would begin a directive. */
char *tap_text(const char *text);

/* In double quotes. */
char *yaml_text(const char *text);

#endif
