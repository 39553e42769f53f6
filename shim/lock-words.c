/* SPDX-License-Identifier: MIT */
#include "shim/lock-words.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "shim/heap.h"
#include "shim/sys.h"

#define READERS_SHIFT 3 /* in __readers, whose lower bits are flags */

/*
 * Whether a word of memory that may not be there has a value: the kernel
 * compares, and would wait for no time.
 */
static bool word_is(const void *address, uint32_t value, bool *there)
{
	static const struct timespec none;
	long result;

	arch_valgrind_quiet(true);
	do
		result = sys_futex((void *)address, FUTEX_WAIT_PRIVATE, (int)value, &none);
	while (result == -EINTR);
	arch_valgrind_quiet(false);
	*there = result != -EFAULT;
	return result == 0 || result == -ETIMEDOUT;
}

/* Where a block of a module's was, there may be nothing any more. */
static bool is_freed(uintptr_t address)
{
	struct span *span;
	uint32_t index, place;

	if (!heap_owns((const void *)address))
		return false;
	span = heap_span(address);
	if (!span || span->kind == SPAN_FREE)
		return true;
	index = span_index(span, address);
	place = index < span->count ? __atomic_load_n(&span->meta[index].place, __ATOMIC_RELAXED)
				    : 0;
	return !place || (place & (META_QUARANTINED | META_REPORTED));
}

/* At least one thread has it for reading; which ones it does not know. */
static bool has_readers(const pthread_rwlock_t *lock)
{
	bool there = true;

	for (uint32_t flags = 0; flags < 1u << READERS_SHIFT && there; flags++)
		if (word_is(&lock->__data.__readers, flags, &there))
			return false;
	return there;
}

bool lock_is_held(const struct held_lock *held)
{
	const pthread_mutex_t *mutex = (const pthread_mutex_t *)held->lock;
	const pthread_rwlock_t *lock = (const pthread_rwlock_t *)held->lock;
	bool there;

	if (is_freed(held->lock))
		return false;
	switch (held->kind) {
	case HELD_READ:
		return has_readers(lock);
	case HELD_WRITE:
		return word_is(&lock->__data.__cur_writer, held->tid, &there);
	default:
		return word_is(&mutex->__data.__owner, held->tid, &there);
	}
}
