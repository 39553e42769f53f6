/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/objects.h"
#include "shim/sys.h"
#include "shim/thread-locals.h"
#include "shim/thread.h"
#include "shim/unloading.h"

int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *dso);

#define CHUNK_SHIFT 8
#define CHUNK_LOCALS (1u << CHUNK_SHIFT)
#define CHUNKS 4096u
#define WAITS 10000u /* of 0.1 ms each */

enum local_state {
	LOCAL_FREE,
	LOCAL_PENDING,
	LOCAL_RUNNING,
	LOCAL_DONE,
	LOCAL_DROPPED,
};

/*
 * One registration with the C library in our name, and the destructor that it
 * stands for now.  The C library cannot be told to forget one: when its
 * destructor ran early or was dropped, it waits for the thread's end, or for
 * the thread to register another, which would come in the same turn.
 *
 * word holds state and generation together, so that each change is one
 * compare-exchange; whoever is stopped at any point has done it or not.
 */
struct local_destructor {
	struct local_destructor *next; /* of the thread's, or free */
	void (*destructor)(void *);
	void *object;
	_Atomic(uint32_t) word;
	int tid;
	bool own; /* the C library does not know of it, see local_end */
};

#define WORD(generation, state) ((uint32_t)(generation) << 8 | (uint32_t)(state))
#define WORD_STATE(word) ((enum local_state)((word)&0xff))

static struct local_destructor *chunks[CHUNKS];
static _Atomic(uint32_t) limit;
static struct local_destructor *spare;
static struct lock locals_lock;

/* The generation that is just going, inside the loader's lock; 0: none. */
static _Atomic(uint32_t) closed, closed_dropped;

extern char __dso_handle[] __attribute__((visibility("hidden")));

static struct local_destructor *local_at(uint32_t index)
{
	return chunks[index >> CHUNK_SHIFT] + (index & (CHUNK_LOCALS - 1));
}

static struct local_destructor *local_add(void)
{
	uint32_t index = atomic_load(&limit);
	struct local_destructor **chunk = &chunks[index >> CHUNK_SHIFT];

	if (index >> CHUNK_SHIFT == CHUNKS)
		return NULL;
	if (!*chunk)
		*chunk = arena_take(sizeof(**chunk) << CHUNK_SHIFT);
	if (!*chunk)
		return NULL;
	atomic_store(&limit, index + 1);
	return local_at(index);
}

static struct local_destructor *local_take(void)
{
	struct local_destructor *taken;

	if (!lock_take(&locals_lock))
		return NULL;
	taken = spare;
	if (taken)
		spare = taken->next;
	else
		taken = local_add();
	lock_give(&locals_lock);
	if (taken)
		taken->tid = (int)lock_self();
	return taken;
}

static void local_give(struct local_destructor *local)
{
	atomic_store(&local->word, 0);
	if (!lock_take(&locals_lock))
		return;
	local->next = spare;
	spare = local;
	lock_give(&locals_lock);
}

static bool is_stale(const struct local_destructor *local)
{
	return WORD_STATE(atomic_load(&local->word)) > LOCAL_RUNNING;
}

/*
 * Of the calling thread's registrations that nothing of the host's came after
 * and that stand for nothing any more, the earliest: the C library calls it
 * after those above it, which are to stand for what comes next.
 */
static struct local_destructor *local_reusable(const struct thread *thread)
{
	struct local_destructor *found = NULL;

	for (struct local_destructor *local = thread->locals;
		local != thread->covered && is_stale(local); local = local->next)
		found = local;
	return found;
}

/* The destructor is read before the state changes: from then on it is to be seen in the thread. */
static bool local_run(struct local_destructor *local)
{
	void (*destructor)(void *) = local->destructor;
	void *object = local->object;
	uint32_t word = atomic_load(&local->word), running;

	if (WORD_STATE(word) != LOCAL_PENDING)
		return false;
	running = word - LOCAL_PENDING + LOCAL_RUNNING;
	if (!atomic_compare_exchange_strong(&local->word, &word, running))
		return false;
	destructor(object);
	atomic_store(&local->word, running - LOCAL_RUNNING + LOCAL_DONE);
	return true;
}

static void local_unlink(struct thread *thread, struct local_destructor *local)
{
	struct local_destructor **link = &thread->locals;

	while (*link && *link != local)
		link = &(*link)->next;
	if (thread->covered == local)
		thread->covered = local->next;
	if (*link)
		*link = local->next;
}

/*
 * What the C library calls, in its turn, when the thread ends.  What is
 * registered meanwhile comes next, so it need not be the C library that calls
 * it; to tell that of it would mean to wait for the loader's lock, and so for
 * an unload, which may wait for this destructor.
 */
static void local_end(void *data)
{
	struct thread *thread = &thread_self;
	struct local_destructor *local = data;

	thread->running++;
	do {
		local_unlink(thread, local);
		local_run(local);
		local_give(local);
		local = thread->locals;
	} while (local && local->own);
	thread->running--;
	/* an unload may have waited for them */
	unloading_thread_left();
}

/* Something of the host's is to come after: the C library must know those before. */
static void own_tell(const struct thread *thread)
{
	struct local_destructor *local, *first;

	do {
		first = NULL;
		for (local = thread->locals; local && local->own; local = local->next)
			first = local;
		if (first)
			first->own = next.thread_atexit(local_end, first, __dso_handle) != 0;
	} while (first && !first->own);
}

static bool local_drop(struct local_destructor *local, uint16_t generation)
{
	uint32_t word = WORD(generation, LOCAL_PENDING);

	return atomic_compare_exchange_strong(&local->word, &word, WORD(generation, LOCAL_DROPPED));
}

static bool local_register(
	struct thread *thread, uint16_t generation, void (*destructor)(void *), void *object)
{
	struct local_destructor *local = local_reusable(thread);
	bool reused = local != NULL;

	if (!reused)
		local = local_take();
	if (!local)
		return false;
	local->destructor = destructor;
	local->object = object;
	if (!reused) {
		local->own = thread->running != 0;
		if (!local->own && next.thread_atexit(local_end, local, __dso_handle)) {
			local_give(local);
			return false;
		}
		local->next = thread->locals;
		thread->locals = local;
	}
	atomic_store(&local->word, WORD(generation, LOCAL_PENDING));
	if (atomic_load(&closed) == generation)
		atomic_fetch_add(&closed_dropped, local_drop(local, generation));
	return true;
}

static uint16_t owner_of(uintptr_t dso, uintptr_t destructor)
{
	uint16_t generation;

	if (!__atomic_load_n(&generation_alive, __ATOMIC_RELAXED))
		return 0;
	generation = generation_of(dso);
	return generation ? generation : generation_of(destructor);
}

RELIB_EXPORT int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *dso)
{
	struct thread *thread = &thread_self;
	uint16_t generation = owner_of((uintptr_t)dso, (uintptr_t)destructor);
	bool registered = false;
	int saved = errno;

	if (!next_ready() || !next.thread_atexit)
		return -1;
	if (generation) {
		/* the C library's own note of it is not the module's block */
		thread->inside++;
		registered = local_register(thread, generation, destructor, object);
		thread->inside--;
		errno = saved;
	}
	if (registered)
		return 0;
	own_tell(thread);
	thread->covered = thread->locals;
	return next.thread_atexit(destructor, object, dso);
}

bool thread_locals_own(void (*destructor)(void *), void *object)
{
	return next_ready() && next.thread_atexit &&
	       !next.thread_atexit(destructor, object, __dso_handle);
}

static struct local_destructor *pending_find(const struct thread *thread, uint16_t generation)
{
	struct local_destructor *local = thread->locals;

	while (local && atomic_load(&local->word) != WORD(generation, LOCAL_PENDING))
		local = local->next;
	return local;
}

uint32_t thread_locals_run(uint16_t generation)
{
	struct local_destructor *local;
	uint32_t count = 0;

	/* from the start each time: a destructor may have registered more */
	while ((local = pending_find(&thread_self, generation)))
		count += local_run(local);
	return count;
}

uint32_t thread_locals_drop(uint16_t generation, int tid)
{
	uint32_t end = atomic_load(&limit), count = 0;

	for (uint32_t index = 0; index < end; index++)
		if (local_at(index)->tid != tid)
			count += local_drop(local_at(index), generation);
	return count;
}

/* Whether a thread other than but runs one of the generation's; only: that thread, 0: any. */
static bool is_running(uint16_t generation, int only, int but)
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; index < end; index++) {
		const struct local_destructor *local = local_at(index);

		if (atomic_load(&local->word) == WORD(generation, LOCAL_RUNNING) &&
			local->tid != but && (!only || local->tid == only))
			return true;
	}
	return false;
}

bool thread_locals_running(uint16_t generation, int tid)
{
	return is_running(generation, tid, 0);
}

uint32_t thread_locals_gone(uint16_t generation)
{
	static const struct timespec moment = {0, 100000};
	int self = (int)lock_self();
	uint32_t dropped;

	/* a destructor that is running may register more */
	atomic_store(&closed, generation);
	dropped = thread_locals_drop(generation, 0);
	for (unsigned int waits = 0; waits < WAITS && is_running(generation, 0, self); waits++)
		sys_call(SYS_nanosleep, &moment, NULL, 0);
	dropped += atomic_exchange(&closed_dropped, 0);
	atomic_store(&closed, 0);
	return dropped;
}

void thread_locals_call(uint16_t generation, void (*destructor)(void *), void *object,
	bool (*ready)(const void *data), const void *data)
{
	struct local_destructor *local = local_take();

	if (local)
		atomic_store(&local->word, WORD(generation, LOCAL_RUNNING));
	if (ready(data))
		destructor(object);
	if (local)
		local_give(local);
	unloading_thread_left();
}

void thread_locals_objects(void (*visit)(uintptr_t object, int tid))
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; index < end; index++) {
		const struct local_destructor *local = local_at(index);

		if (WORD_STATE(atomic_load(&local->word)) == LOCAL_PENDING)
			visit((uintptr_t)local->object, local->tid);
	}
}

void thread_locals_fork_prepare(void)
{
	thread_self.forker = (int)lock_self();
}

/* Only the calling thread's are left, those that it is running among them. */
void thread_locals_fork_child(void)
{
	uint32_t end = atomic_load(&limit);

	locals_lock.owner = 0;
	spare = NULL;
	for (uint32_t index = 0; index < end; index++) {
		struct local_destructor *local = local_at(index);

		if (local->tid == thread_self.forker && atomic_load(&local->word))
			local->tid = (int)lock_self();
		else
			local_give(local);
	}
}
