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

#include "shim/heap.h"

/* One thread; used again when it is over. */
struct owned_thread {
	struct owned_thread *next;
	_Atomic(uint32_t) state;    /* enum session_thread_state */
	uint32_t index;		    /* of its tid, see threads.c */
	uint32_t record;	    /* in SESSION_THREADS */
	uint32_t place;		    /* 0: not known */
	uint32_t generation_record; /* tells a slot that was handed out again */
	uint16_t generation;	    /* slot; 0: the host's, see threads_foreign */
	union {
		void *(*run)(void *);
		int (*run_int)(void *);
	};
	void *argument;
};

/*
 * A thread that is about to be created: counted as started, STARTING.  start:
 * its start routine.  NULL: it cannot be recorded.
 */
struct owned_thread *threads_new(struct origin origin, uintptr_t start);

/* It could not be created after all. */
void threads_take_back(struct owned_thread *thread);

/* In the thread: it runs.  These two touch no thread-locals and take no lock. */
void threads_begin(struct owned_thread *thread, pid_t tid);
/* It is over, and counted so; the struct may be used again at once. */
void threads_end(struct owned_thread *thread);

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

/*
 * True when a thread of the generation's is left that the kernel knows; those
 * that are about to begin count too.  Takes no lock.
 */
bool threads_left(uint16_t generation);

/* The same for the arguments of threads that are STARTING: only these records refer to them. */
void threads_arguments(void (*visit)(uintptr_t argument, int tid));

/*
 * Reads the names of all threads that are recorded, and forgets those that
 * ended without a word (the system call exit, a host's thread).  Not with the
 * world stopped; before records are shown to anybody.  Keeps errno.
 */
void threads_names_refresh(void);

/* In a forked child only the calling thread is left. */
void threads_fork_child(void);

#endif
