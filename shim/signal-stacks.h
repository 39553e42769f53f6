/* SPDX-License-Identifier: MIT */
/*
 * Alternate stacks of signal handlers (sigaltstack) that modules set, or that lie
 * in a module's memory.  Each thread has one of its own, which only that thread
 * can change, and which nothing but the kernel refers to.
 */
#ifndef RELIB_SIGNAL_STACKS_H
#define RELIB_SIGNAL_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Calls visit with the address of each of them whose thread lives: the kernel
 * writes there at the next signal.  Takes no lock; called with the world stopped
 * too.
 */
void signal_stacks_each(void (*visit)(uintptr_t address, int tid));

/* See hooks.h: the calling thread's is disabled, those of other threads are told. */
void signal_stacks_take_back(uint16_t generation);

/*
 * What was mapped from start to end is unmapped, or mapped without access: where a
 * living thread's stack lies there, it gets memory again, until it is given
 * back.  The thread could take no signal otherwise.
 */
void signal_stacks_keep(uintptr_t start, uintptr_t end);

/* The calling thread ends: its stack is as good as given back. */
void signal_stacks_thread_over(void);

void signal_stacks_fork_child(void);
void signal_stacks_fork_settle(void);

#endif
