/* SPDX-License-Identifier: MIT */
/*
 * Directory streams (DIR) that modules opened: each is one holding,
 * SESSION_DIRECTORY by its address, and its descriptor is not counted beside it.
 */
#ifndef RELIB_DIRECTORIES_H
#define RELIB_DIRECTORIES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/ledger.h"

/* As stream_close, stream_leftover and streams_settle, see stdio-streams.h. */
bool directory_close(struct holding *holding, const char **why);
void directory_leftover(const struct holding *holding, enum session_leftover_state state,
	const struct session_root *root, const char *why);
void directories_settle(uint32_t generation);

#endif
