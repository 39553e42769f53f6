/* SPDX-License-Identifier: MIT */
/* Locks that a module holds. */
#ifndef RELIB_LOCKS_H
#define RELIB_LOCKS_H

#include "shim/heap.h"

/* A lock of the descriptor's file was taken or given back by fcntl.  origin with place 0: the
 * host's. */
void file_lock_noted(int fd, struct origin origin);

#endif
