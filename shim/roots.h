/* SPDX-License-Identifier: MIT */
/* Where a look found a reference, as the session tells it. */
#ifndef RELIB_ROOTS_H
#define RELIB_ROOTS_H

#include <stdint.h>

#include "shim/scan.h"
#include "shim/session-format.h"

/*
 * referrer: enum look_referrer; place and offset are those of the block for
 * LOOK_BLOCK.  After the look, with the world going on: takes the table's lock.
 */
struct session_root root_record(
	uint8_t referrer, uint32_t place, uint64_t offset, const struct scan_place *at);

#endif
