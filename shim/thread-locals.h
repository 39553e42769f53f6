/* SPDX-License-Identifier: MIT */
/*
 * Destructors of thread-locals (C++ thread_local, Rust's), which modules
 * register with __cxa_thread_atexit_impl.  Each is registered with the C
 * library in our name, so that it runs in its turn when the thread ends, and
 * does not pin the module.
 */
#ifndef RELIB_THREAD_LOCALS_H
#define RELIB_THREAD_LOCALS_H

#include <stdbool.h>
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

/*
 * Right before the generation is unmapped, its keys deleted: drops what is
 * left and what other threads register from now on, and waits until none of
 * them is in a destructor any more; for a second at most, since it may wait for
 * the loader's lock, which we hold.  Returns how many were dropped.
 */
uint32_t thread_locals_gone(uint16_t generation);

/*
 * Whether the thread is calling a destructor of the generation, of a
 * thread-local or of a key, or is just about to: then it may have no frame in
 * the module yet.  With the world stopped; takes no lock.
 */
bool thread_locals_running(uint16_t generation, int tid);

/* Calls a destructor of another kind, seen by thread_locals_running, if ready(data) holds. */
void thread_locals_call(uint16_t generation, void (*destructor)(void *), void *object,
	bool (*ready)(const void *data), const void *data);

/* Has the C library call a function of ours when the calling thread ends; false: it cannot. */
bool thread_locals_own(void (*destructor)(void *), void *object);

/*
 * With the world stopped: calls visit for the objects whose destructors are
 * pending.  Only these records refer to them, and a look does not read those.
 */
void thread_locals_objects(void (*visit)(uintptr_t object, int tid));

void thread_locals_fork_prepare(void);
void thread_locals_fork_child(void);

#endif
