/* SPDX-License-Identifier: MIT */
/*
 * What a module leaves in the C library and the kernel that would call into
 * it or read it after it went: signal handlers, timers, on_exit and
 * at_quick_exit entries, environment strings, stream buffers, openlog's ident.
 */
#ifndef RELIB_HOOKS_H
#define RELIB_HOOKS_H

#include <stdint.h>

/*
 * Called by the thread that unloads, inside the loader's lock, after the
 * generation's finalizers ran and while it is still mapped: takes back what
 * points into its image, and records it (SESSION_DANGLINGS, the generation's
 * taken_back).  Keeps errno.
 */
void hooks_take_back(uint16_t generation);

void hooks_fork_child(void);
void timers_fork_child(void);
void buffers_fork_child(void);
void syslog_fork_child(void);
void cookies_fork_child(void);

/* The parts of it; each returns how many it took back, and has them recorded. */
uint32_t signals_take_back(uint16_t generation);
uint32_t timers_take_back(uint16_t generation);
uint32_t exits_take_back(uint16_t generation);
uint32_t environment_take_back(uint16_t generation);
uint32_t buffers_take_back(uint16_t generation);
uint32_t syslog_take_back(uint16_t generation);
uint32_t cookies_take_back(uint16_t generation);

#endif
