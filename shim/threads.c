/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/lock.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/sys.h"
#include "shim/tasks.h"
#include "shim/thread.h"
#include "shim/threads.h"

#define CHUNK_SHIFT 8
#define CHUNK_THREADS (1u << CHUNK_SHIFT)
#define CHUNKS 1024u

/*
 * The tids stand close together: looking for one means reading them all, which
 * takes no lock, is exact at any instant, and for a thousand threads less than
 * the kernel needs to stop one.
 */
struct chunk {
	_Atomic(int32_t) tid[CHUNK_THREADS]; /* 0: none, or not known yet */
	struct owned_thread thread[CHUNK_THREADS];
};

static struct chunk *chunks[CHUNKS];
static _Atomic(uint32_t) limit;

/* Free ones: the list under the lock, and what was given back since without one. */
static struct owned_thread *spare;
static _Atomic(struct owned_thread *) given;
static struct lock threads_lock;

static struct owned_thread *thread_at(uint32_t index)
{
	return &chunks[index >> CHUNK_SHIFT]->thread[index & (CHUNK_THREADS - 1)];
}

static _Atomic(int32_t) *tid_at(uint32_t index)
{
	return &chunks[index >> CHUNK_SHIFT]->tid[index & (CHUNK_THREADS - 1)];
}

static struct session_thread *record_of(const struct owned_thread *thread)
{
	return session_record(SESSION_THREADS, thread->record);
}

static struct owned_thread *thread_add(void)
{
	static const struct session_thread none;
	uint32_t index = atomic_load(&limit), record;
	struct chunk **chunk = &chunks[index >> CHUNK_SHIFT];
	struct owned_thread *made;

	if (index >> CHUNK_SHIFT == CHUNKS)
		return NULL;
	if (!*chunk)
		*chunk = arena_take(sizeof(**chunk));
	record = *chunk ? session_add(SESSION_THREADS, &none) : 0;
	if (!record)
		return NULL;
	made = thread_at(index);
	made->index = index;
	made->record = record;
	atomic_store(&limit, index + 1);
	return made;
}

static struct owned_thread *thread_take(void)
{
	struct owned_thread *taken;

	if (!lock_take(&threads_lock))
		return NULL;
	if (!spare)
		spare = atomic_exchange(&given, NULL);
	taken = spare;
	if (taken)
		spare = taken->next;
	else
		taken = thread_add();
	lock_give(&threads_lock);
	return taken;
}

static void thread_give(struct owned_thread *thread)
{
	__atomic_store_n(&record_of(thread)->state, SESSION_THREAD_FREE, __ATOMIC_RELEASE);
	atomic_store(&thread->state, SESSION_THREAD_FREE);
	thread->next = atomic_load(&given);
	while (!atomic_compare_exchange_weak(&given, &thread->next, thread))
		;
}

static void state_set(struct owned_thread *thread, uint32_t state)
{
	__atomic_store_n(&record_of(thread)->state, state, __ATOMIC_RELEASE);
	atomic_store(&thread->state, state);
}

struct owned_thread *threads_new(struct origin origin, uintptr_t start)
{
	struct session_thread record = {.place = origin.place};
	struct owned_thread *made = thread_take();

	if (!made)
		return NULL;
	made->place = origin.place;
	made->generation = origin.generation;
	made->generation_record = generation_at(origin.generation)->record;
	record.generation = made->generation_record;
	/* a frame is the address behind the code that it names */
	record.start = place_frame(start + 1);
	*record_of(made) = record;
	state_set(made, SESSION_THREAD_STARTING);
	__atomic_fetch_add(&((struct session_place *)session_record(SESSION_PLACES, made->place))
				    ->threads_started,
		1, __ATOMIC_RELAXED);
	return made;
}

void threads_take_back(struct owned_thread *thread)
{
	struct session_place *place = session_record(SESSION_PLACES, thread->place);

	__atomic_fetch_sub(&place->threads_started, 1, __ATOMIC_RELAXED);
	thread_give(thread);
}

void threads_begin(struct owned_thread *thread, pid_t tid)
{
	struct session_thread *record = record_of(thread);

	sys_call(SYS_prctl, PR_GET_NAME, record->name, 0);
	record->started_ns = session_clock();
	record->tid = tid;
	atomic_store(tid_at(thread->index), tid);
	state_set(thread, SESSION_THREAD_RUNNING);
}

/* Counts once, whoever finds out: the thread itself, or one that misses it. */
static void thread_over(struct owned_thread *thread, int32_t tid)
{
	struct session_place *place = session_record(SESSION_PLACES, thread->place);

	if (!atomic_compare_exchange_strong(tid_at(thread->index), &tid, 0))
		return;
	if (thread->generation)
		__atomic_fetch_add(&place->threads_ended, 1, __ATOMIC_RELAXED);
	thread_give(thread);
}

void threads_end(struct owned_thread *thread)
{
	thread_over(thread, atomic_load(tid_at(thread->index)));
}

/* The owner is loaded still: its slot is not another's by now. */
static bool is_owned(const struct owned_thread *thread)
{
	return thread->generation &&
	       generation_at(thread->generation)->record == thread->generation_record;
}

uint32_t threads_owned(pid_t tid, uint16_t *generation)
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; tid && index < end; index++) {
		struct owned_thread *thread;

		if (atomic_load_explicit(tid_at(index), memory_order_relaxed) != tid)
			continue;
		thread = thread_at(index);
		if (!is_owned(thread))
			continue;
		*generation = thread->generation;
		return thread->record;
	}
	return 0;
}

void threads_each_going(void (*visit)(uint32_t record, uint16_t generation, void *data), void *data)
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; index < end; index++) {
		struct owned_thread *thread = thread_at(index);

		if (atomic_load(&thread->state) != SESSION_THREAD_FREE && is_owned(thread) &&
			generation_at(thread->generation)->goes)
			visit(thread->record, thread->generation, data);
	}
}

static bool is_gone(pid_t tid)
{
	return sys_call(SYS_tgkill, sys_call(SYS_getpid, 0, 0, 0), tid, 0) == -ESRCH;
}

bool threads_left(uint16_t generation)
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; index < end; index++) {
		struct owned_thread *thread = thread_at(index);
		int32_t tid = atomic_load(tid_at(index));

		if (thread->generation == generation && is_owned(thread) &&
			atomic_load(&thread->state) != SESSION_THREAD_FREE &&
			(!tid || !is_gone(tid)))
			return true;
	}
	return false;
}

void threads_arguments(void (*visit)(uintptr_t argument, int tid))
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; index < end; index++) {
		struct owned_thread *thread = thread_at(index);

		if (atomic_load(&thread->state) == SESSION_THREAD_STARTING)
			visit((uintptr_t)thread->argument, 0);
	}
}

void threads_names_refresh(void)
{
	uint32_t end = atomic_load(&limit);
	int directory = end ? tasks_open() : -1;

	for (uint32_t index = 0; index < end; index++) {
		int32_t tid = atomic_load(tid_at(index));

		if (!tid)
			continue;
		if (is_gone(tid))
			thread_over(thread_at(index), tid);
		else if (directory >= 0)
			task_name_read(directory, tid, record_of(thread_at(index))->name);
	}
	if (directory >= 0)
		sys_close(directory);
}

static uint32_t foreign_find(pid_t tid)
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t index = 0; index < end; index++)
		if (atomic_load(tid_at(index)) == tid && !thread_at(index)->generation)
			return thread_at(index)->record;
	return 0;
}

uint32_t threads_foreign(pid_t tid)
{
	struct session_thread record = {.state = SESSION_THREAD_RUNNING, .tid = tid};
	uint32_t found = session ? foreign_find(tid) : 0;
	struct owned_thread *made;
	int directory;

	if (found || !session)
		return found;
	thread_self.inside++;
	made = thread_take();
	if (made) {
		made->place = made->generation_record = made->generation = 0;
		*record_of(made) = record;
		atomic_store(tid_at(made->index), tid);
		state_set(made, SESSION_THREAD_RUNNING);
		directory = tasks_open();
		if (directory >= 0) {
			task_name_read(directory, tid, record_of(made)->name);
			sys_close(directory);
		}
	}
	thread_self.inside--;
	return made ? made->record : 0;
}

void threads_fork_child(void)
{
	uint32_t end = atomic_load(&limit);

	threads_lock.owner = 0;
	spare = NULL;
	atomic_store(&given, NULL);
	for (uint32_t index = 0; index < end; index++) {
		struct owned_thread *thread = thread_at(index);

		if (thread == thread_self.owned) {
			record_of(thread)->tid = sys_gettid();
			atomic_store(tid_at(index), record_of(thread)->tid);
			continue;
		}
		atomic_store(tid_at(index), 0);
		thread_give(thread);
	}
}
