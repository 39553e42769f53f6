/* SPDX-License-Identifier: MIT */
/* What modules acquire besides memory and threads: names and amounts. */
#ifndef RELIB_RESOURCES_H
#define RELIB_RESOURCES_H

#include "cli/session-file.h"

/* "descriptor", "mapping"; "unknown" for a kind that this program does not know. */
const char *resource_kind_name(uint32_t kind);

/* "left", "kept", "taken-back", "given-back" or "unknown". */
const char *leftover_state_name(uint32_t state);

/* What the program had not given back when the generation was unloaded. */
struct tally balance_left(const struct session_balance *balance);

#endif
