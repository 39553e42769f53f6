/* SPDX-License-Identifier: MIT */
/* The parts of the JSON report that tell of one generation. */
#ifndef RELIB_JSON_GENERATION_H
#define RELIB_JSON_GENERATION_H

#include "cli/json.h"
#include "cli/leaks.h"

struct json_object *json_generation(const struct leaks *leaks, uint32_t index);

struct json_object *json_note(const struct leaks *leaks, const struct session_note *note);

/* What refers to something; null if it is not known. */
struct json_object *json_root(const struct leaks *leaks, const struct session_root *root);

#endif
