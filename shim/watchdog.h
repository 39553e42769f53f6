/* SPDX-License-Identifier: MIT */
/*
 * Unloads that do not come back: a hook, finalizer or destructor that waits for
 * ever.  A timer of the kernel interrupts the thread that unloads with a
 * signal, whose handler reports where all threads that have to do with it
 * stand; no thread of ours is needed.
 */
#ifndef RELIB_WATCHDOG_H
#define RELIB_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Calls run(data).  When it takes longer than the setting's timeout, a report
 * is made (SESSION_NOTE_TIMEOUT, one note for each thread), once, and it goes
 * on waiting; or, if abandon, the calling thread leaves run where it is, and
 * false is returned.  generation: record in SESSION_GENERATIONS; number: struct
 * generation's goes.
 */
bool watchdog_run(
	uint32_t generation, uint32_t number, bool abandon, void (*run)(void *data), void *data);

void watchdog_fork_child(void);

#endif
