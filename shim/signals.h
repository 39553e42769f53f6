/* SPDX-License-Identifier: MIT */
/*
 * Who set the dispositions of signals: sigaction, signal and their kin are
 * interposed, so that a module's handler can be taken back when it goes
 * (signals_take_back of hooks.h), and what stood there before be put back.
 */
#ifndef RELIB_SIGNALS_H
#define RELIB_SIGNALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The signal must not arrive any more when the generation goes: the handler is
 * its own, or by default the signal would end or stop the process.
 */
bool signal_is_harmful(int number, uint16_t generation);

/* Those that were sent and did not arrive yet never will. */
void signal_discard(int number);

/* "SIGALRM" */
void signal_name(int number, char *room, size_t size);

void signals_fork_child(void);

#endif
