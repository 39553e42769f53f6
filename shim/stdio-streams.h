/* SPDX-License-Identifier: MIT */
/*
 * Streams (FILE) that modules opened: each is one holding, SESSION_STREAM by
 * its address, and its descriptor is not counted beside it.
 */
#ifndef RELIB_STDIO_STREAMS_H
#define RELIB_STDIO_STREAMS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shim/ledger.h"

enum stream_kind {
	STREAM_FILE,
	STREAM_COMMAND, /* popen; data: the command's process, 0: not known */
	STREAM_BUFFER,	/* fmemopen */
	STREAM_MEMORY,	/* open_memstream: nothing but memory, and in no list of the C library */
	STREAM_COOKIE,	/* data: its struct cookie, 0: functions of no module */
};

/* stream may be NULL.  origin with place 0: the host opened it.  text: what it is, or 0. */
void stream_opened(
	FILE *stream, enum stream_kind kind, struct origin origin, uint32_t text, uint64_t data);

static inline enum stream_kind stream_kind(const struct holding *holding)
{
	return (enum stream_kind)(holding->data[0] >> 32 & 0xff);
}

/*
 * After a look that found nobody but the C library to refer to it, with the
 * world running: closes it, its output flushed.  A descriptor that is not the
 * module's stays open.  The ledger forgets it, and holding->text becomes what
 * it was: stream_leftover with SESSION_TAKEN_BACK is next.  False: *why says what
 * is against it, or NULL when it is no open stream.
 */
bool stream_close(struct holding *holding, const char **why);

/*
 * Records that it was left (root: of SESSION_KEPT, else NULL; why as of struct
 * session_leftover, or NULL).  One that was closed without our seeing it is
 * counted as given back instead.  Once for each: what has a leftover has been.
 */
void stream_leftover(const struct holding *holding, enum session_leftover_state state,
	const struct session_root *root, const char *why);

/* Those of a generation (its record) that were not recorded yet. */
void streams_settle(uint32_t generation);

/* While the generation (its slot) is still mapped: what waits to go into its image goes there. */
void streams_flush(uint16_t generation);

void stdio_streams_fork_child(void);

#endif
