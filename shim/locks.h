/* SPDX-License-Identifier: MIT */
/*
 * File locks of modules: flock, lockf, and those of fcntl.  What is locked at
 * the unload the kernel is asked for each descriptor on which a module ever
 * locked something: locks of the last two kinds end in parts, and with the
 * close of any descriptor of the file.
 */
#ifndef RELIB_LOCKS_H
#define RELIB_LOCKS_H

#include "shim/heap.h"

/* fd was locked, wholly or in part.  origin with place 0: by the host.  Keeps errno. */
void file_lock_noted(int fd, struct origin origin);

#endif
