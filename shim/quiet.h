/* SPDX-License-Identifier: MIT */
/*
 * Telling without stopping anybody that no thread is in the code that goes.
 *
 * Most threads of most hosts sleep in the kernel, which tells where: then the
 * live part of the stack is read, and if no word of it points into that code,
 * there is no frame in it.  Nothing but a call by somebody who holds an address
 * of a module that is being closed can change that, and no other way to look
 * could foresee it.  Any doubt is a no.
 */
#ifndef RELIB_QUIET_H
#define RELIB_QUIET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True when no thread but the calling one can be in code for which
 * is_code(data, address) holds.  False when one is, or may be.  One at a time.
 */
bool quiet_others(bool (*is_code)(void *data, uintptr_t address), void *data);

#endif
