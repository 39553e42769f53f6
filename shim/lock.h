/* SPDX-License-Identifier: MIT */
/*
 * A lock that can be refused.  Interposers run in signal handlers and between
 * fork's handlers, where waiting for ever would hang the host: a thread that
 * holds the lock already, or that has waited too long, is told no, and passes
 * its call through to the next allocator instead.
 *
 * The word holds the owner's thread id; WAITERS is set while somebody sleeps.
 */
#ifndef RELIB_LOCK_H
#define RELIB_LOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOCK_WAITERS 0x80000000u

struct lock {
	_Atomic uint32_t owner; /* thread id, 0 when free */
};

/* The slow path of lock_take: waits for at most about a second. */
bool lock_wait(struct lock *lock, uint32_t tid);
void lock_wake(struct lock *lock);

/* The calling thread's id, cached; right after fork, not in a vfork child. */
uint32_t lock_self(void);
void lock_self_forked(void);

/* False when the caller holds it already or it did not become free in time. */
static inline bool lock_take(struct lock *lock)
{
	uint32_t tid = lock_self(), expected = 0;

	if (atomic_compare_exchange_strong_explicit(
		    &lock->owner, &expected, tid, memory_order_acquire, memory_order_relaxed))
		return true;
	return lock_wait(lock, tid);
}

static inline void lock_give(struct lock *lock)
{
	uint32_t was = atomic_exchange_explicit(&lock->owner, 0, memory_order_release);

	if (was & LOCK_WAITERS)
		lock_wake(lock);
}

static inline bool lock_is_mine(struct lock *lock)
{
	return (atomic_load_explicit(&lock->owner, memory_order_relaxed) & ~LOCK_WAITERS) ==
	       lock_self();
}

#endif
