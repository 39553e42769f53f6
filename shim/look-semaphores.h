/* SPDX-License-Identifier: MIT */
/*
 * Handles of named semaphores that unloaded generations left, in a look.  What
 * points into a semaphore's page is a reference; the C library's own record of
 * it is none, but tells how often it is open.  With fds=close handles are
 * closed unless that would unmap a page that somebody refers to.
 */
#ifndef RELIB_LOOK_SEMAPHORES_H
#define RELIB_LOOK_SEMAPHORES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/look.h"
#include "shim/scan.h"

/* Before the world is stopped, after look_ranges_begin. */
void look_semaphores_begin(void);

/* Widens the ranges that the scan knows of by their pages. */
void look_semaphores_range(struct scan *scan);

/* The word points into the page of one. */
bool look_semaphores_at(uintptr_t word);

/* The word at the place points there: whether the C library's record has it, which is noted. */
bool look_semaphores_recorded(uintptr_t word, const struct scan_place *place);

/* Others than the C library refer to it. */
void look_semaphores_kept(uintptr_t word, const struct look_reference *reference);

/* Whether the block goes with a semaphore's page: it belongs to the C library's record. */
bool look_semaphores_frees(uintptr_t block, size_t size);

/* Afterwards, if the look ran to its end: records what is kept, and closes the others. */
void look_semaphores_end(bool done);

#endif
