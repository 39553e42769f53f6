/* SPDX-License-Identifier: MIT */
/*
 * Child processes that modules started, and whether they still are children
 * of this process.  Nobody tells us that one is waited for: it is seen in that
 * the kernel does not know it as our child any more.
 */
#ifndef RELIB_CHILDREN_H
#define RELIB_CHILDREN_H

#include "shim/heap.h"

/* A new child.  origin with place 0: the host's.  Keeps errno. */
void child_started(int pid, struct origin origin);

/* Counts those that were waited for since they were last looked at. */
void children_refresh(void);

#endif
