/* SPDX-License-Identifier: MIT */
/*
 * An ordered set of intervals of addresses that do not overlap, each of
 * something (of): a treap, whose order of insertion does not matter.  No locks
 * of its own.  Its memory is the arena's, and used again.
 */
#ifndef RELIB_INTERVAL_SET_H
#define RELIB_INTERVAL_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
	struct interval *left, *right;
	uintptr_t start, end;
	void *of;
};

struct intervals {
	struct interval *root;
	size_t count;
};

/* The caller has made sure that nothing is there.  False: there is no memory. */
bool intervals_add(struct intervals *intervals, uintptr_t start, uintptr_t end, void *of);

/*
 * Takes out what lies between start and end, and returns it: in order, one
 * after the other by right; NULL: there was nothing.  Those that reach beyond
 * are parted; when there is no memory for that they are taken out whole.
 */
struct interval *intervals_cut(struct intervals *intervals, uintptr_t start, uintptr_t end);

/* Puts a list that was cut out back where it was. */
void intervals_restore(struct intervals *intervals, struct interval *list);

/* Gives the memory of a list that was cut out back. */
void intervals_drop(struct interval *list);

/* The first one that ends behind the address, or NULL. */
struct interval *intervals_from(const struct intervals *intervals, uintptr_t address);

#endif
