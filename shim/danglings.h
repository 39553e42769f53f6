/* SPDX-License-Identifier: MIT */
/* What pointed into unloaded images: records in SESSION_DANGLINGS, one per place and target. */
#ifndef RELIB_DANGLINGS_H
#define RELIB_DANGLINGS_H

#include <stdint.h>

#include "shim/session-format.h"

/*
 * Records that a hook (like->kind, number, place, taken_back; text may be NULL)
 * points to address in a generation's image.  Equal ones are counted in one
 * record.  Keeps the generation's totals: taken_back, of what was taken back,
 * or else dangling.
 */
void dangling_hook(uint16_t generation, uintptr_t address, const struct session_dangling *like,
	const char *text);

/* Of one generation no more are recorded, only counted. */
#define DANGLINGS_MOST 1024u

/* Records what a look found: it is complete, and no other is alike. */
void dangling_word(const struct session_dangling *dangling);

/* Counts what is not recorded; generation: its record. */
void danglings_more(uint32_t generation, uint32_t count);

#endif
