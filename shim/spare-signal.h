/* SPDX-License-Identifier: MIT */
/* A signal for our own use that the host makes no use of. */
#ifndef RELIB_SPARE_SIGNAL_H
#define RELIB_SPARE_SIGNAL_H

#include <stdint.h>

#include "shim/arch.h"

/*
 * Installs the handler (SA_RESTART, with flags and mask) for SIGURG, if nobody
 * handles it: debuggers pass it by, and stray ones do no harm.  Else for a
 * real-time signal of no use to the host, from the top; 32 and 33 are the C
 * library's own.  Returns its number, with what was there before in *host (as
 * if there was nothing, where it was this handler already); 0: none could be had.
 */
int spare_signal_take(void (*handler)(int, siginfo_t *, void *), unsigned long flags, uint64_t mask,
	struct arch_sigaction *host);

#endif
