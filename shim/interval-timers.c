/* SPDX-License-Identifier: MIT */
/*
 * The process's own three timers: setitimer, alarm, ualarm.  There is one of
 * each, and whoever set it last has it.
 */
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/next.h"
#include "shim/settings.h"
#include "shim/signals.h"
#include "shim/sys.h"

#define TIMERS 3

static const struct {
	int signal;
	char name[16];
} timers[TIMERS] = {
	[ITIMER_REAL] = {SIGALRM, "ITIMER_REAL"},
	[ITIMER_VIRTUAL] = {SIGVTALRM, "ITIMER_VIRTUAL"},
	[ITIMER_PROF] = {SIGPROF, "ITIMER_PROF"},
};

static void interval_set(int which, bool armed, struct origin origin)
{
	const struct holding like = {.kind = SESSION_INTERVAL_TIMER, .key = (uint64_t)which};

	if (!origin.place && ledger_is_empty(SESSION_INTERVAL_TIMER))
		return;
	ledger_acquire(armed ? origin : (struct origin){0}, &like);
}

RELIB_EXPORT int setitimer(
	__itimer_which_t which, const struct itimerval *new, struct itimerval *old)
{
	bool armed;
	int result;

	if (!next_ready() || !next.setitimer) {
		errno = ENOSYS;
		return -1;
	}
	result = next.setitimer((int)which, new, old);
	if (!result) {
		armed = new && (new->it_value.tv_sec || new->it_value.tv_usec);
		interval_set((int)which, armed, CALL_ORIGIN());
	}
	return result;
}

RELIB_EXPORT unsigned int alarm(unsigned int seconds)
{
	unsigned int left;

	if (!next_ready() || !next.alarm)
		return 0;
	left = next.alarm(seconds);
	interval_set(ITIMER_REAL, seconds, CALL_ORIGIN());
	return left;
}

RELIB_EXPORT useconds_t ualarm(useconds_t value, useconds_t interval)
{
	useconds_t left;

	if (!next_ready() || !next.ualarm) {
		errno = ENOSYS;
		return (useconds_t)-1;
	}
	left = next.ualarm(value, interval);
	if (left != (useconds_t)-1)
		interval_set(ITIMER_REAL, value, CALL_ORIGIN());
	return left;
}

static bool is_armed(int which)
{
	struct itimerval now;

	return !sys_call(SYS_getitimer, which, &now, 0) &&
	       (now.it_value.tv_sec || now.it_value.tv_usec);
}

static void visit_left(const struct holding *holding, void *data)
{
	const struct itimerval none = {.it_value = {0}};
	const uint16_t *generation = data;
	int which = (int)holding->key, number = timers[which].signal;
	bool harmful = signal_is_harmful(number, *generation), armed = is_armed(which);

	if (armed && !harmful && settings.fds != SESSION_FDS_CLOSE) {
		ledger_left(holding, holding->key, timers[which].name, NULL);
		return;
	}
	if (armed)
		sys_call(SYS_setitimer, which, &none, NULL);
	/* it may have sent one just before */
	if (harmful)
		signal_discard(number);
	if (armed)
		ledger_taken_back(holding, holding->key, timers[which].name);
	else
		ledger_was_gone(holding);
}

void intervals_take_back(uint16_t generation)
{
	ledger_each(
		SESSION_INTERVAL_TIMER, generation_at(generation)->record, visit_left, &generation);
}

static void visit_not_inherited(const struct holding *holding, void *data)
{
	ledger_was_gone(holding);
}

/* A child inherits none. */
void intervals_fork_settle(void)
{
	ledger_each(SESSION_INTERVAL_TIMER, 0, visit_not_inherited, NULL);
}
