/* SPDX-License-Identifier: MIT */
/* Between the interposers of streams and what becomes of those that are left. */
#ifndef RELIB_STDIO_PRIVATE_H
#define RELIB_STDIO_PRIVATE_H

#include <stdbool.h>
#include <stdio.h>

#include "shim/ledger.h"

#define STREAM_HAS_FILE 0x2000 /* in _flags: it reads and writes something, or a cookie does */

/* Its descriptor, or a negative number.  Unlike fileno, keeps errno. */
static inline int stream_descriptor(const FILE *stream)
{
	return stream->_flags & STREAM_HAS_FILE ? stream->_fileno : -1;
}

static inline int stream_descriptor_then(const struct holding *holding)
{
	return (int)(uint32_t)holding->data[0];
}

/* Its descriptor is not one that the module opened. */
bool stream_is_foreign(const struct holding *holding);
/* It was opened by the process that forked this one. */
bool stream_is_forked(const struct holding *holding);

#endif
