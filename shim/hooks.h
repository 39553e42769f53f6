/* SPDX-License-Identifier: MIT */
/*
 * What a module leaves in the C library and the kernel that would call into
 * it or read it after it went: signal handlers and alternate stacks, timers,
 * handlers of exit and fork, environment strings, stream buffers, openlog's ident.
 */
#ifndef RELIB_HOOKS_H
#define RELIB_HOOKS_H

#include <stdint.h>

/*
 * Called by the thread that unloads, inside the loader's lock, after the
 * generation's finalizers ran and while it is still mapped: takes back what
 * points into its image, and records it (SESSION_DANGLINGS, the generation's
 * taken_back); and finds out what else of these kinds it has left, which is
 * recorded as leftovers.  Keeps errno.
 */
void hooks_take_back(uint16_t generation);

/* In a forked child: first of all; and when the session is the child's own. */
void hooks_fork_child(void);
void hooks_fork_settle(void);

/* The parts of it. */
void timers_take_back(uint16_t generation);
void intervals_take_back(uint16_t generation); /* setitimer, alarm */
void signals_take_back(uint16_t generation);
void exits_take_back(uint16_t generation);
void fork_handlers_take_back(uint16_t generation);
void environment_take_back(uint16_t generation);
void buffers_take_back(uint16_t generation);
void syslog_take_back(uint16_t generation);
void cookies_take_back(uint16_t generation);

void buffers_fork_child(void);
void syslog_fork_child(void);
void environment_fork_child(void);
void cookies_fork_child(void);
void timers_fork_settle(void);
void intervals_fork_settle(void);

#endif
