/* SPDX-License-Identifier: MIT */
/*
 * The C library's list of all streams that are open.  Its lock is held during
 * a walk, so no stream is closed meanwhile; visit must not wait for one that
 * another thread uses.
 *
 * Another thread may hold the lock for long: fflush(NULL) waits with it for
 * every stream that is in use.  So it is not waited for without end, once
 * open_streams_learn has found out where it is.
 */
#ifndef RELIB_OPEN_STREAMS_H
#define RELIB_OPEN_STREAMS_H

#include <stdbool.h>
#include <stdio.h>

/* Where opening a stream has just taken the lock anyway; the first time it waits for it. */
void open_streams_learn(void);

/* For more than one of the functions below, and to close streams.  False: it cannot be had. */
bool open_streams_lock(void);
void open_streams_unlock(void);

/*
 * Until visit returns true, which is returned; false where there is no such
 * list.  unknown: what is returned when the lock cannot be had.
 */
bool open_streams_each(bool (*visit)(FILE *stream, void *data), void *data, bool unknown);

/* Whether it is in the list; as far as is known. */
bool open_streams_have(const void *stream);

#endif
