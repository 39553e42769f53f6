/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <time.h>

#include "shim/lock.h"
#include "shim/sys.h"

#define WAIT_ROUNDS 10 /* of 100 ms each */

/* initial-exec: a dynamic TLS block would be allocated with the malloc that we interpose */
static __thread uint32_t self __attribute__((tls_model("initial-exec")));

uint32_t lock_self(void)
{
	if (!self)
		self = (uint32_t)sys_gettid();
	return self;
}

void lock_self_forked(void)
{
	self = (uint32_t)sys_gettid();
}

bool lock_wait(struct lock *lock, uint32_t tid)
{
	static const struct timespec tenth = {0, 100000000};

	for (int rounds = 0; rounds < WAIT_ROUNDS;) {
		uint32_t seen = atomic_load_explicit(&lock->owner, memory_order_relaxed);

		if ((seen & ~LOCK_WAITERS) == tid)
			return false;
		if (!seen) {
			/* others may sleep still: keep the mark, at worst one useless wake */
			if (atomic_compare_exchange_weak_explicit(&lock->owner, &seen,
				    tid | LOCK_WAITERS, memory_order_acquire, memory_order_relaxed))
				return true;
			continue;
		}
		if (!(seen & LOCK_WAITERS) &&
			!atomic_compare_exchange_weak_explicit(&lock->owner, &seen,
				seen | LOCK_WAITERS, memory_order_relaxed, memory_order_relaxed))
			continue;
		if (sys_futex(&lock->owner, FUTEX_WAIT_PRIVATE, (int)(seen | LOCK_WAITERS),
			    &tenth) == -ETIMEDOUT)
			rounds++;
	}
	return false;
}

void lock_wake(struct lock *lock)
{
	sys_futex(&lock->owner, FUTEX_WAKE_PRIVATE, 1, 0);
}
