/* SPDX-License-Identifier: MIT */
/*
 * The functions that lock and unlock mutexes and rwlocks.  A host's call goes
 * on with a jump, after one compare as long as there is no module.
 *
 * They may be called before we know the next ones: in a signal handler, or by a
 * library's code, while we look for them.  A lock must not fail for that: then
 * it is the C library's by another name.
 */
#include <errno.h>

#include "shim/arch.h"
#include "shim/held-locks.h"
#include "shim/module.h"
#include "shim/next.h"

/* Each may be missing: before 2.34 these are libpthread's. */
#define LIBC_FUNCTION(name)                                                                        \
	extern int libc_##name(void *lock) __attribute__((weak));                                  \
	__asm__(".symver libc_" #name ", __pthread_" #name "@" ARCH_LIBC_FIRST)
LIBC_FUNCTION(mutex_lock);
LIBC_FUNCTION(mutex_trylock);
LIBC_FUNCTION(mutex_unlock);
LIBC_FUNCTION(rwlock_rdlock);
LIBC_FUNCTION(rwlock_tryrdlock);
LIBC_FUNCTION(rwlock_wrlock);
LIBC_FUNCTION(rwlock_trywrlock);
LIBC_FUNCTION(rwlock_unlock);

/* Without libpthread there is one thread, and nothing to lock. */
static int early(int (*function)(void *), void *lock)
{
	return function ? function(lock) : 0;
}

/* There is nothing else that would wait for a while. */
static int early_timed(int (*function)(void *), void *lock)
{
	int result = early(function, lock);

	return result == EBUSY ? ETIMEDOUT : result;
}

/* The values of threads.h, which declares the functions themselves with other types. */
enum { thrd_success, thrd_busy, thrd_error, thrd_nomem, thrd_timedout };
static int early_thrd(int result)
{
	switch (result) {
	case 0:
		return thrd_success;
	case EBUSY:
		return thrd_busy;
	case ETIMEDOUT:
		return thrd_timedout;
	default:
		return thrd_error;
	}
}

static inline bool may_be_modules(uintptr_t pc, uint32_t *code)
{
	return __builtin_expect(__atomic_load_n(&generation_alive, __ATOMIC_RELAXED) != 0, 0) &&
	       module_may_own(pc, code);
}

#define ASIDE __attribute__((noinline))

ASIDE static int locked(void *lock, int result, enum held_lock_kind kind, struct origin origin,
	const struct caller *caller)
{
	if ((!result || result == EOWNERDEAD) && origin.place > HEAP_PLACE_LOADER)
		held_locks_add(lock, kind, origin, caller);
	return result;
}

/*
 * name locks in the way of kind; early: what it does before next is known.
 * Who called is found out before it waits: whoever has a lock is in a hurry.
 */
#define LIST(...) __VA_ARGS__
#define LOCKS(name, member, kind, early, parameters, arguments)                                    \
	RELIB_EXPORT int name parameters;                                                          \
	ASIDE static int member##_aside(                                                           \
		uint32_t code, const uintptr_t *frame, uintptr_t bp, LIST parameters)              \
	{                                                                                          \
		struct caller caller = caller_of(frame, bp);                                       \
		struct origin origin = module_origin(&caller, code);                               \
                                                                                                   \
		if (!next_ready() || !next.member)                                                 \
			return early;                                                              \
		return locked(lock, next.member arguments, kind, origin, &caller);                 \
	}                                                                                          \
	RELIB_EXPORT int name parameters                                                           \
	{                                                                                          \
		const uintptr_t *frame = CALLER_FRAME();                                           \
		uint32_t code;                                                                     \
                                                                                                   \
		if (may_be_modules(frame[1], &code))                                               \
			return member##_aside(code, frame, CALLER_BP(frame), LIST arguments);      \
		return next_ready() && next.member ? next.member arguments : early;                \
	}

#define UNLOCKS(name, member, early)                                                               \
	RELIB_EXPORT int name(void *lock);                                                         \
	RELIB_EXPORT int name(void *lock)                                                          \
	{                                                                                          \
		if (held_locks_any())                                                              \
			held_locks_remove(lock);                                                   \
		return next_ready() && next.member ? next.member(lock) : early;                    \
	}

#define PLAIN (void *lock), (lock)
#define UNTIL (void *lock, const void *until), (lock, until)
#define CLOCK (void *lock, int clock, const void *until), (lock, clock, until)
#define MAKE(make, ...) make(__VA_ARGS__)

MAKE(LOCKS, pthread_mutex_lock, mutex_lock, HELD_MUTEX, early(libc_mutex_lock, lock), PLAIN)
MAKE(LOCKS, pthread_mutex_trylock, mutex_trylock, HELD_MUTEX, early(libc_mutex_trylock, lock),
	PLAIN)
MAKE(LOCKS, pthread_mutex_timedlock, mutex_timedlock, HELD_MUTEX,
	early_timed(libc_mutex_trylock, lock), UNTIL)
MAKE(LOCKS, pthread_mutex_clocklock, mutex_clocklock, HELD_MUTEX,
	early_timed(libc_mutex_trylock, lock), CLOCK)
UNLOCKS(pthread_mutex_unlock, mutex_unlock, early(libc_mutex_unlock, lock))

MAKE(LOCKS, pthread_rwlock_rdlock, rwlock_rdlock, HELD_READ, early(libc_rwlock_rdlock, lock), PLAIN)
MAKE(LOCKS, pthread_rwlock_tryrdlock, rwlock_tryrdlock, HELD_READ,
	early(libc_rwlock_tryrdlock, lock), PLAIN)
MAKE(LOCKS, pthread_rwlock_timedrdlock, rwlock_timedrdlock, HELD_READ,
	early_timed(libc_rwlock_tryrdlock, lock), UNTIL)
MAKE(LOCKS, pthread_rwlock_clockrdlock, rwlock_clockrdlock, HELD_READ,
	early_timed(libc_rwlock_tryrdlock, lock), CLOCK)
MAKE(LOCKS, pthread_rwlock_wrlock, rwlock_wrlock, HELD_WRITE, early(libc_rwlock_wrlock, lock),
	PLAIN)
MAKE(LOCKS, pthread_rwlock_trywrlock, rwlock_trywrlock, HELD_WRITE,
	early(libc_rwlock_trywrlock, lock), PLAIN)
MAKE(LOCKS, pthread_rwlock_timedwrlock, rwlock_timedwrlock, HELD_WRITE,
	early_timed(libc_rwlock_trywrlock, lock), UNTIL)
MAKE(LOCKS, pthread_rwlock_clockwrlock, rwlock_clockwrlock, HELD_WRITE,
	early_timed(libc_rwlock_trywrlock, lock), CLOCK)
UNLOCKS(pthread_rwlock_unlock, rwlock_unlock, early(libc_rwlock_unlock, lock))

MAKE(LOCKS, mtx_lock, mtx_lock, HELD_MUTEX, early_thrd(early(libc_mutex_lock, lock)), PLAIN)
MAKE(LOCKS, mtx_trylock, mtx_trylock, HELD_MUTEX, early_thrd(early(libc_mutex_trylock, lock)),
	PLAIN)
MAKE(LOCKS, mtx_timedlock, mtx_timedlock, HELD_MUTEX,
	early_thrd(early_timed(libc_mutex_trylock, lock)), UNTIL)
UNLOCKS(mtx_unlock, mtx_unlock, early_thrd(early(libc_mutex_unlock, lock)))
