/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/callstacks.h"
#include "shim/heap.h"
#include "shim/held-locks.h"
#include "shim/keys.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/signal-stacks.h"
#include "shim/sys.h"
#include "shim/thread-locals.h"
#include "shim/thread.h"
#include "shim/threads.h"
#include "shim/unloading.h"

__thread struct thread thread_self __attribute__((tls_model("initial-exec")));

/*
 * The memory of threads that ended serves those that come.  It is the arena's,
 * so that a look knows it for no place of roots, however many threads there are.
 */
struct room {
	struct room *next;
};

static struct room *rooms;
static struct lock rooms_lock;
static pthread_key_t end_key;
static bool has_end_key;

static size_t cache_part(void)
{
	return (heap_cache_size() + 4095) & ~(size_t)4095;
}

static size_t room_size(void)
{
	return cache_part() + ((callstacks_size() + 4095) & ~(size_t)4095);
}

static void *room_take(void)
{
	struct room *room;

	if (!lock_take(&rooms_lock))
		return NULL;
	room = rooms;
	if (room)
		rooms = room->next;
	lock_give(&rooms_lock);
	if (room)
		return memset(room, 0, sizeof(*room));
	return arena_take(room_size());
}

static void room_give(void *memory)
{
	uintptr_t start = ((uintptr_t)memory + 4095) & ~(uintptr_t)4095;
	uintptr_t end = ((uintptr_t)memory + room_size()) & ~(uintptr_t)4095;
	struct room *room = memory;

	/* the pages back to the system, the rest zero by hand */
	memset(memory, 0, start - (uintptr_t)memory);
	memset((void *)end, 0, (uintptr_t)memory + room_size() - end);
	if (sys_advise((void *)start, end - start, MADV_DONTNEED))
		memset((void *)start, 0, end - start);
	if (!lock_take(&rooms_lock))
		return;
	room->next = rooms;
	rooms = room;
	lock_give(&rooms_lock);
}

static void thread_tear_down(struct thread *thread)
{
	struct heap_cache *cache = thread->cache;
	struct session_counters *counters = thread->counters;

	/* other destructors may still allocate and free after us: on the shared lists */
	thread->ending = true;
	thread->cache = NULL;
	thread->counters = NULL;
	thread->stacks = NULL;
	held_locks_thread_over(thread);
	if (counters)
		place_counters_end(counters);
	if (cache) {
		heap_cache_end(cache);
		room_give(cache);
	}
}

static void thread_over(struct thread *thread)
{
	struct owned_thread *owned = thread->owned;
	int saved = errno;

	thread_tear_down(thread);
	signal_stacks_thread_over();
	if (owned) {
		thread->owned = NULL;
		thread->last_round = false;
		threads_end(owned);
		unloading_thread_over();
	}
	errno = saved;
}

/*
 * A module's thread goes on until the last of the rounds in which the C library
 * calls key destructors: any of them may set values anew, of any key.  And in
 * that round, until the last of the modules' that come after this key's.
 */
static void thread_end(void *data)
{
	struct thread *thread = data;

	if (thread->owned && ++thread->rounds < PTHREAD_DESTRUCTOR_ITERATIONS &&
		!pthread_setspecific(end_key, thread))
		return;
	if (thread->owned && keys_follow(end_key))
		thread->last_round = true;
	else
		thread_over(thread);
}

void thread_key_done(unsigned int key)
{
	if (thread_self.last_round && !keys_follow(key))
		thread_over(&thread_self);
}

/* Where there is no room for a key: registered first, it is the last thread-local to go. */
static void thread_end_early(void *data)
{
	thread_over(data);
}

void thread_owned_begin(struct owned_thread *owned)
{
	struct thread *thread = &thread_self;

	thread->inside++;
	thread->owned = owned;
	threads_begin(owned, sys_gettid());
	if (!has_end_key || pthread_setspecific(end_key, thread))
		thread_locals_own(thread_end_early, thread);
	thread->inside--;
}

/*
 * Without a key there is nobody to tell us that the thread ends, and what it
 * holds would be lost: it works on the shared lists then.
 */
void thread_set_up(struct thread *thread)
{
	void *room;

	/* until a module is there, only the loader comes here: a dlopen that fails leaves no
	 * session */
	if (!session)
		return;
	thread->set_up = true;
	if (thread->ending || !has_end_key)
		return;
	thread->inside++;
	if (!pthread_setspecific(end_key, thread)) {
		room = room_take();
		if (room) {
			heap_cache_begin(room);
			thread->stacks = (struct callstacks *)((char *)room + cache_part());
			thread->cache = room;
		}
		thread->counters = place_counters_new();
	}
	thread->inside--;
}

void thread_initialise(void)
{
	has_end_key = next.pthread_key_create && !next.pthread_key_create(&end_key, thread_end);
}

void thread_fork_child(void)
{
	rooms_lock.owner = 0;
}
