/* SPDX-License-Identifier: MIT */
/*
 * Which objects modules have open: each dlopen of a module's that succeeds, until
 * somebody closes it.  One with RTLD_NOLOAD counts too when the object is
 * loaded: the loader counts it, and does not let go of the object before it is
 * closed.
 */
#ifndef RELIB_HANDLES_H
#define RELIB_HANDLES_H

#include <stdint.h>

#include "shim/heap.h"
#include "shim/objects.h"

/* origin opens the object, which is loaded or is being loaded just now. */
void handle_opened(const struct object *object, struct origin origin);

/* A call of dlclose, from before it to its end. */
struct closing {
	const void *map; /* NULL: no module's matter */
	uint32_t record; /* of its object's generation, 0: none */
	uint64_t own;	 /* the caller's own open one, 0: none */
};
struct closing handle_closing(const void *map, uintptr_t pc);
void handle_closed(const struct closing *closing);

#endif
