/* SPDX-License-Identifier: MIT */
/*
 * Timers that modules created, and those that call a module's function in a
 * thread of the C library's.  Such a thread may be on its way when the timer is
 * deleted, so it begins in ours, which asks whether there still is something to
 * call.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include "shim/danglings.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/settings.h"
#include "shim/signals.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define WAIT_MS 1000	     /* for calls that are under way */
#define NO_TIMER UINTPTR_MAX /* a handle: it is being made */

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
	like->handle = NO_TIMER;
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

static int timer_signal(const struct sigevent *event)
{
	if (!event)
		return SIGALRM;
	return event->sigev_notify == SIGEV_SIGNAL || event->sigev_notify == SIGEV_THREAD_ID
		       ? event->sigev_signo
		       : 0;
}

/* An id that was another's before is given back by that, whoever creates it. */
static void timer_count(timer_t timer, const struct sigevent *event, struct origin origin)
{
	const struct holding like = {
		.kind = SESSION_TIMER,
		.key = (uintptr_t)timer,
		.data = {(uint64_t)timer_signal(event),
			event ? (uint64_t)event->sigev_notify : SIGEV_SIGNAL},
	};

	if (origin.place || !ledger_is_empty(SESSION_TIMER))
		ledger_acquire(origin, &like);
}

RELIB_EXPORT int timer_create(clockid_t clock, struct sigevent *event, timer_t *timer)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct hook_entry like = {0};
	struct origin origin;
	int result;

	if (!next_ready() || !next.timer_create) {
		errno = ENOSYS;
		return -1;
	}
	if (event && event->sigev_notify == SIGEV_THREAD)
		like.generation = hook_owner((uintptr_t)event->sigev_notify_function);
	origin = caller_origin(&caller);
	like.place = origin.place;
	result = like.generation ? timer_make(clock, event, timer, &like)
				 : next.timer_create(clock, event, timer);
	if (!result)
		timer_count(*timer, event, origin);
	return result;
}

static void visit_deleted(struct hook_entry *entry, void *data)
{
	if (entry->handle == (uintptr_t)data)
		hook_entry_give(entry);
}

RELIB_EXPORT int timer_delete(timer_t timer)
{
	struct holding was;

	if (!next_ready() || !next.timer_delete) {
		errno = ENOSYS;
		return -1;
	}
	/* before its id can be another's; it fails only for what is no timer */
	hook_entries_each(SESSION_DANGLING_TIMER, visit_deleted, (void *)timer);
	ledger_give_back(SESSION_TIMER, (uintptr_t)timer, &was);
	return next.timer_delete(timer);
}

/* A call that had begun before the timer was deleted: it is short, as a rule. */
static void calls_wait(const struct hook_entry *entry)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < WAIT_MS && __atomic_load_n(&entry->running, __ATOMIC_ACQUIRE); i++)
		sys_call(SYS_nanosleep, &pause, NULL, 0);
}

static void visit_going(struct hook_entry *entry, void *data)
{
	const uint16_t *generation = data;
	struct session_dangling like = {
		.kind = SESSION_DANGLING_TIMER,
		.place = entry->place,
		.taken_back = 1,
	};
	struct holding holding;

	if (entry->generation != *generation)
		return;
	__atomic_store_n(&entry->dropped, true, __ATOMIC_SEQ_CST);
	if (entry->handle != NO_TIMER)
		next.timer_delete((timer_t)entry->handle);
	calls_wait(entry);
	dangling_hook(*generation, entry->function, &like, NULL);
	if (ledger_find(SESSION_TIMER, entry->handle, &holding)) {
		balance_take_back(holding.balance, 1, 0);
		ledger_forget(SESSION_TIMER, entry->handle);
	}
	hook_entry_give(entry);
}

/* Those whose id is the kernel's own: others only the C library can ask for. */
static bool is_deleted(const struct holding *holding)
{
	struct itimerspec times;

	return holding->data[1] != SIGEV_THREAD && holding->key <= INT_MAX &&
	       sys_call(SYS_timer_gettime, holding->key, &times, 0) == -EINVAL;
}

/* One that calls nothing in the image, but may send a signal. */
static void visit_left(const struct holding *holding, void *data)
{
	const uint16_t *generation = data;
	int number = (int)holding->data[0];
	bool harmful = number && signal_is_harmful(number, *generation);
	char text[24] = "";

	if (number)
		signal_name(number, text, sizeof(text));
	if (is_deleted(holding)) {
		ledger_was_gone(holding);
	} else if (!harmful && settings.fds != SESSION_FDS_CLOSE) {
		ledger_left(holding, (uint64_t)number, text, NULL);
	} else if (next.timer_delete((timer_t)holding->key)) {
		ledger_left(holding, (uint64_t)number, text, "timer_delete fails");
	} else {
		if (harmful)
			signal_discard(number);
		ledger_taken_back(holding, (uint64_t)number, text);
	}
}

void timers_take_back(uint16_t generation)
{
	if (!next.timer_delete)
		return;
	hook_entries_each(SESSION_DANGLING_TIMER, visit_going, &generation);
	ledger_each(SESSION_TIMER, generation_at(generation)->record, visit_left, &generation);
}

static void visit_forked(struct hook_entry *entry, void *data)
{
	hook_entry_give(entry);
}

static void visit_not_inherited(const struct holding *holding, void *data)
{
	ledger_was_gone(holding);
}

/* A child inherits no timers. */
void timers_fork_settle(void)
{
	hook_entries_each(SESSION_DANGLING_TIMER, visit_forked, NULL);
	ledger_each(SESSION_TIMER, 0, visit_not_inherited, NULL);
}
