/* SPDX-License-Identifier: MIT */
/*
 * The threads that modules created: who owns each, where it was created, and
 * whether it is over.
 *
 * A thread is over when the last code of anybody's but the C library has run in
 * it: its start routine, its thread-local destructors and its key destructors,
 * however it ended (return, pthread_exit, cancellation).  Only then is it
 * counted as ended, and only then may its module go.
 */
#ifndef RELIB_THREADS_H
#define RELIB_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Whose a thread is; called with the world stopped too: takes no lock.
 * Returns its record in SESSION_THREADS and the generation slot of its owner;
 * 0 for a thread that no module created, and for one that is over.
 */
uint32_t threads_owned(pid_t tid, uint16_t *generation);

/*
 * The record of a thread that is none of a module's but stands in the way of an
 * unload; made at need.  0: no room.
 */
uint32_t threads_foreign(pid_t tid);

/*
 * Calls visit for every thread of generations that go (struct generation's
 * goes), those included that have no tid yet (record->tid 0).  Takes no lock.
 */
void threads_each_going(
	void (*visit)(uint32_t record, uint16_t generation, void *data), void *data);

/* Reads the names of the threads that have records.  Not with the world stopped. */
void threads_names_refresh(void);

/* In a forked child only the calling thread is left. */
void threads_fork_child(void);

#endif
