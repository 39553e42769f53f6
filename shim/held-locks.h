/* SPDX-License-Identifier: MIT */
/*
 * Mutexes and rwlocks that modules' code has locked, by the thread that did.
 *
 * Each thread that ever locked one for a module has a table, which only it adds
 * to; so nothing here waits.  What stands in a table need not be locked any
 * more (another thread may have unlocked it, or its memory is gone): at the
 * unload the lock's own words are looked at.
 */
#ifndef RELIB_HELD_LOCKS_H
#define RELIB_HELD_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/balances.h"
#include "shim/callstacks.h"
#include "shim/thread.h"

enum held_lock_kind { HELD_MUTEX, HELD_READ, HELD_WRITE };

#define HELD_LOCKS_MOST 64u /* of one thread */

struct held_lock {
	uint64_t what; /* its balance, and above that its number; 0: nothing */
	uintptr_t lock;
	struct balance_spot spot; /* of its balance */
	uint64_t leftover;	  /* its leftover, and above that the number it was found under */
	uintptr_t sp;		  /* of the caller */
	uint32_t tid;
	uint8_t kind; /* enum held_lock_kind */
};

/* Where calls from a place are counted, as long as no object was taken out since. */
struct lock_place {
	uint32_t place, epoch;
	uint16_t generation;
	uint32_t balance; /* 0: not in use */
	struct balance_spot spot;
};
#define LOCK_PLACES 16u

struct held_locks {
	struct held_locks *next;  /* of all that there are */
	struct held_locks *spare; /* while it is nobody's */
	uint32_t count;		  /* entries from here on are empty */
	uint32_t number;	  /* of the entry that was added last; at 0 begins anew */
	uint32_t tid;		  /* its thread; 0: nobody's */
	bool ended;		  /* that thread is over */
	struct lock_place place[LOCK_PLACES];
	struct held_lock entry[HELD_LOCKS_MOST];
};

/* The calling thread has locked it, called by a module; place 0: nothing is recorded. */
void held_locks_add(
	void *lock, enum held_lock_kind kind, struct origin origin, const struct caller *caller);

/* The calling thread is about to unlock it: where thread_self.locks has entries. */
void held_locks_remove(void *lock);

static inline bool held_locks_any(void)
{
	const struct held_locks *locks = thread_self.locks;

	return __builtin_expect(locks != NULL, 0) && locks->count;
}

/* The calling thread ends. */
void held_locks_thread_over(struct thread *thread);

void held_locks_fork_child(void);

#endif
