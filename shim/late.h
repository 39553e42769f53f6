/* SPDX-License-Identifier: MIT */
/*
 * Late calls: faults in the addresses of unloaded images.  Each is told on
 * standard error and noted in the session (SESSION_NOTE_LATE_CALL; text:
 * "called", "returned to", "read" or "wrote").  The stack is of return addresses;
 * where an instruction read or wrote, the first of them is one byte into it.
 */
#ifndef RELIB_LATE_H
#define RELIB_LATE_H

#include <signal.h>

/*
 * A SIGSEGV that a fault raised: does nothing unless it was in a guarded range.
 * For signal handlers with all other signals blocked; uses little stack.
 * Called again by a fault of its own, it goes on in the first call.
 */
void late_fault(const siginfo_t *info, const void *context);

void late_fork_child(void);

#endif
