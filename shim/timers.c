/* SPDX-License-Identifier: MIT */
/*
 * Timers that call a module's function in a thread of the C library's.  Such a
 * thread may be on its way when the timer is deleted, so it begins in ours,
 * which asks whether there still is something to call.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "shim/danglings.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define WAIT_MS 1000 /* for calls that are under way */

int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer);
int timer_delete(timer_t timer);

static void call_end(void *number)
{
	hook_entry_leave((uint64_t)(uintptr_t)number);
}

static void timer_call(union sigval value)
{
	struct hook_entry entry;

	if (!hook_entry_enter((uint64_t)(uintptr_t)value.sival_ptr, &entry))
		return;
	/* it may leave by pthread_exit, or be cancelled */
	pthread_cleanup_push(call_end, value.sival_ptr);
	((void (*)(union sigval))entry.function)(
		(union sigval){.sival_ptr = (void *)entry.argument});
	pthread_cleanup_pop(1);
}

static int timer_make(
	clockid_t clock, const struct sigevent *event, timer_t *timer, struct hook_entry *like)
{
	struct sigevent ours = *event;
	struct hook_entry *entry;
	int result;

	like->kind = SESSION_DANGLING_TIMER;
	like->handle = UINTPTR_MAX;
	like->function = (uintptr_t)event->sigev_notify_function;
	like->argument = (uintptr_t)event->sigev_value.sival_ptr;
	entry = hook_entry_take(like);
	if (!entry)
		return next.timer_create(clock, (void *)event, timer);
	ours.sigev_notify_function = timer_call;
	ours.sigev_value.sival_ptr = (void *)(uintptr_t)entry->number;
	result = next.timer_create(clock, &ours, timer);
	if (result)
		hook_entry_give(entry);
	else
		entry->handle = (uintptr_t)*timer;
	return result;
}

RELIB_EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct hook_entry like = {0};

	if (!next_ready() || !next.timer_create) {
		errno = ENOSYS;
		return -1;
	}
	if (event && event->sigev_notify == SIGEV_THREAD)
		like.generation = hook_owner((uintptr_t)event->sigev_notify_function);
	if (!like.generation)
		return next.timer_create(clock, event, timer);
	like.place = hook_place(&caller);
	return timer_make(clock, event, timer, &like);
}

static void visit_deleted(struct hook_entry *entry, void *data)
{
	if (entry->handle == (uintptr_t)data)
		hook_entry_give(entry);
}

RELIB_EXPORT int timer_delete(timer_t timer)
{
	int result;

	if (!next_ready() || !next.timer_delete) {
		errno = ENOSYS;
		return -1;
	}
	result = next.timer_delete(timer);
	if (!result)
		hook_entries_each(SESSION_DANGLING_TIMER, visit_deleted, (void *)timer);
	return result;
}

/* A call that had begun before the timer was deleted: it is short, as a rule. */
static void calls_wait(const struct hook_entry *entry)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < WAIT_MS && __atomic_load_n(&entry->running, __ATOMIC_ACQUIRE); i++)
		sys_call(SYS_nanosleep, &pause, NULL, 0);
}

struct taking {
	uint16_t generation;
	uint32_t count;
};

static void visit_going(struct hook_entry *entry, void *data)
{
	struct taking *taking = data;
	struct session_dangling like = {
		.kind = SESSION_DANGLING_TIMER,
		.place = entry->place,
		.taken_back = 1,
	};

	if (entry->generation != taking->generation)
		return;
	__atomic_store_n(&entry->dropped, true, __ATOMIC_SEQ_CST);
	next.timer_delete((timer_t)entry->handle);
	calls_wait(entry);
	dangling_hook(taking->generation, entry->function, &like, NULL);
	hook_entry_give(entry);
	taking->count++;
}

uint32_t timers_take_back(uint16_t generation)
{
	struct taking taking = {.generation = generation};

	if (next.timer_delete)
		hook_entries_each(SESSION_DANGLING_TIMER, visit_going, &taking);
	return taking.count;
}

static void visit_forked(struct hook_entry *entry, void *data)
{
	hook_entry_give(entry);
}

/* A child inherits no timers. */
void timers_fork_child(void)
{
	hook_entries_each(SESSION_DANGLING_TIMER, visit_forked, NULL);
}
