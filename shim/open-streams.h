/* SPDX-License-Identifier: MIT */
/*
 * The C library's list of all streams that are open.  Its lock is held during
 * the walk, so no stream is closed meanwhile; visit must not wait for one that
 * another thread uses.
 */
#ifndef RELIB_OPEN_STREAMS_H
#define RELIB_OPEN_STREAMS_H

#include <stdbool.h>
#include <stdio.h>

/* Until visit returns true, which is returned; false where there is no such list. */
bool open_streams_each(bool (*visit)(FILE *stream, void *data), void *data);

/* Whether it is in the list. */
bool open_streams_have(const void *stream);

#endif
