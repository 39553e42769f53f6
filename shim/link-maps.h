/* SPDX-License-Identifier: MIT */
/*
 * What the loader keeps of each object in the private part of its link map: how
 * often it is open, whether it may ever go, and which objects it holds.  Needed
 * to know, before a dlclose, what it will unmap.
 *
 * No offset is written down here.  They are found by experiment: the C library
 * is opened twice with RTLD_NOLOAD and once with RTLD_NODELETE, and the words
 * that change in its link map are the count and the mark.  The lists of held
 * objects are recognised by their content.
 */
#ifndef RELIB_LINK_MAPS_H
#define RELIB_LINK_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/objects.h"

/*
 * False where the experiment fails: then nothing can be foretold.  The first
 * call, which makes it, is one thread's alone.
 */
bool link_maps_known(void);

/*
 * Calls run(data) while the loader's list of objects cannot change: what
 * follows is to be called from there only, with link_maps_known before it.
 */
void link_maps_hold(void (*run)(void *data), void *data);

/* dlopen calls less dlclose calls, as the loader counts them. */
uint32_t link_map_opens(const struct object *object);

/* The loader will never unmap it. */
bool link_map_is_permanent(const struct object *object);

/*
 * The objects loaded with dlopen whose own lists name it, tracked or not, at most
 * so many: they need it, or have bound its symbols.
 */
unsigned int link_maps_holders(
	const struct object *object, struct object **holders, unsigned int most);

/*
 * What would be unmapped if object were closed as often as that its count
 * became 0: sets goes[i] to a slot of the object table for each, in the order
 * in which finalizers run, and returns how many.  0: none, or not known.
 */
size_t link_maps_going(const struct object *object, uint32_t *goes, size_t most);

#endif
