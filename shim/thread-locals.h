/* SPDX-License-Identifier: MIT */
/*
 * Destructors of thread-locals (C++ thread_local, Rust's), which modules
 * register with __cxa_thread_atexit_impl.  Each is registered with the C
 * library in our name, so that it runs in its turn when the thread ends, and
 * does not pin the module.
 */
#ifndef RELIB_THREAD_LOCALS_H
#define RELIB_THREAD_LOCALS_H

#include <stdint.h>

/*
 * Runs those that the calling thread has of a generation, the last first, and
 * what they register meanwhile.  Calls the module: no lock may be held.
 * Returns how many.
 */
uint32_t thread_locals_run(uint16_t generation);

/*
 * Drops those that other threads have of a generation: they are never called.
 * Best with the world stopped: takes no lock.  One that is running goes on, and
 * shows as a frame in the module.  Returns how many.
 */
uint32_t thread_locals_drop(uint16_t generation, int tid);

/* Gives back the records of a generation that is unmapped. */
void thread_locals_gone(uint16_t generation);

void thread_locals_fork_child(void);

#endif
