/* SPDX-License-Identifier: MIT */
/*
 * A plugin of waiter.c whose unload waits for somebody, in the way that its
 * functions choose.
 */
#include "plugin.h"
#include "waiter.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static long hold_slot, join_slot, naps;
static pthread_t worker;
static pthread_key_t key;

int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *dso);
extern void *__dso_handle __attribute__((visibility("hidden")));

PLUGIN long answer(long number)
{
	return number + 41;
}

static void *work(void *data)
{
	prctl(PR_SET_NAME, "stuck");
	host_hold((long)data);
	NOT_A_TAIL_CALL();
	return NULL;
}

/* The finalizer joins a thread that is held. */
PLUGIN long hang_in_join(long slot)
{
	join_slot = slot;
	if (pthread_create(&worker, NULL, work, (void *)slot) != 0)
		abort();
	host_arrived(slot);
	return 0;
}

/* The finalizer is held itself. */
PLUGIN long hang_in_finalizer(long slot)
{
	hold_slot = slot;
	return 0;
}

NOINLINE static void destroy(void *data)
{
	host_note("destroying");
	host_hold((long)data);
	host_note("destroyed");
}

/* For the thread that calls this and unloads. */
PLUGIN long hang_in_thread_local(long slot)
{
	return __cxa_thread_atexit_impl(destroy, (void *)slot, &__dso_handle);
}

PLUGIN long hang_in_key(long slot)
{
	return pthread_key_create(&key, destroy) || pthread_setspecific(key, (void *)slot);
}

/* The finalizer takes a nap of so many ms, and says whether it was woken. */
PLUGIN long nap(long ms)
{
	naps = ms;
	return 0;
}

__attribute__((destructor)) static void finalize(void)
{
	if (hold_slot)
		host_hold(hold_slot);
	if (join_slot)
		pthread_join(worker, NULL);
	if (naps) {
		host_note(poll(NULL, 0, (int)naps) == 0 ? "polled" : "poll-woken");
		host_note(usleep((useconds_t)naps * 1000) == 0 ? "slept" : "sleep-woken");
	}
	host_note("finalized");
}
