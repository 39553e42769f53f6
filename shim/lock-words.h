/* SPDX-License-Identifier: MIT */
/* What the C library's mutexes and rwlocks say of themselves, wherever they lie. */
#ifndef RELIB_LOCK_WORDS_H
#define RELIB_LOCK_WORDS_H

#include <stdbool.h>

#include "shim/held-locks.h"

/*
 * Whether that thread has it still; of one that is locked for reading: whether
 * any has.  False when its memory is gone: reads nothing that may not be there.
 */
bool lock_is_held(const struct held_lock *held);

#endif
