/* SPDX-License-Identifier: MIT */
/*
 * Who set the dispositions of signals: sigaction, signal and their kin are
 * interposed, so that a module's handler can be taken back when it goes
 * (signals_take_back of hooks.h), and what stood there before be put back.
 */
#ifndef RELIB_SIGNALS_H
#define RELIB_SIGNALS_H

void signals_fork_child(void);

#endif
