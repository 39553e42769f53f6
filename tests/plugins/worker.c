/* SPDX-License-Identifier: MIT */
/*
 * A plugin of waiter.c in which threads stand: its own, and the host's.  NAME:
 * what it calls itself in the host's log.  POOL: begins with its library's
 * thread.
 */
#include "plugin.h"
#include "waiter.h"

#include <complex.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <threads.h>

#ifndef NAME
#define NAME "p"
#endif

static int table[1000] = {41};

__attribute__((constructor)) static void begin(void)
{
	host_note("+" NAME);
}

__attribute__((destructor)) static void end(void)
{
	host_note("-" NAME);
}

PLUGIN long answer(long number)
{
	return table[0] + number;
}

static void *run_returning(void *data)
{
	host_hold((long)data);
	table[1]++;
	return NULL;
}

static void *run_exiting(void *data)
{
	host_hold((long)data);
	table[1]++;
	pthread_exit(NULL);
}

static void *run_named(void *data)
{
	prctl(PR_SET_NAME, "the worker");
	host_hold((long)data);
	NOT_A_TAIL_CALL();
	return NULL;
}

static int run_c11(void *data)
{
	host_hold((long)data);
	return ++table[1];
}

static void *run_closing(void *data)
{
	host_hold((long)data);
	host_note(dlclose(host_handle(NAME)) ? "refused" : "closed");
	table[1]++;
	return NULL;
}

static void start(long slot, void *(*run)(void *), int detached)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, (void *)slot) != 0)
		abort();
	host_thread(slot, thread);
	if (detached)
		pthread_detach(thread);
	host_arrived(slot);
}

PLUGIN long start_returning(long slot)
{
	start(slot, run_returning, 0);
	return slot;
}

PLUGIN long start_exiting(long slot)
{
	start(slot, run_exiting, 0);
	return slot;
}

PLUGIN long start_detached(long slot)
{
	start(slot, run_returning, 1);
	return slot;
}

PLUGIN long start_named(long slot)
{
	start(slot, run_named, 0);
	return slot;
}

PLUGIN long start_closing(long slot)
{
	start(slot, run_closing, 0);
	return slot;
}

PLUGIN long start_c11(long slot)
{
	thrd_t thread;

	if (thrd_create(&thread, run_c11, (void *)slot) != thrd_success)
		abort();
	host_thread(slot, thread);
	host_arrived(slot);
	return slot;
}

PLUGIN long hold(long slot)
{
	host_hold(slot);
	NOT_A_TAIL_CALL();
	return slot + table[0];
}

PLUGIN double hold_double(long slot)
{
	host_hold(slot);
	return slot + 0.25;
}

PLUGIN long double hold_long_double(long slot)
{
	host_hold(slot);
	return slot + 0.125L;
}

PLUGIN __int128 hold_int128(long slot)
{
	host_hold(slot);
	return ((__int128)slot << 64) + 77;
}

PLUGIN complex double hold_complex(long slot)
{
	host_hold(slot);
	return CMPLX(slot, -0.5);
}

PLUGIN __float128 hold_float128(long slot)
{
	host_hold(slot);
	return (__float128)slot + 0.0625;
}

/* The host calls the plugin, that the host, and that the plugin again. */
PLUGIN long hold_nested(long slot)
{
	return host_through(hold, slot) + 1;
}

/* Held between two frames of its own. */
PLUGIN long hold_twice(long slot)
{
	host_through(hold, slot);
	host_hold(slot);
	return slot;
}

PLUGIN long jump_out(long slot)
{
	host_hold(slot);
	host_jump();
	return slot;
}

PLUGIN long close_self(long number)
{
	int result = dlclose(host_handle(NAME));

	table[1]++;
	host_note(result ? "refused" : "closed");
	return table[0] + number;
}

PLUGIN long close_by_host(long number)
{
	int result = host_close(NAME);

	host_note(result ? "refused" : "closed");
	return table[0] + number;
}

PLUGIN long use_dependency(long slot)
{
	long (*function)(long) = (long (*)(long))dlsym(host_handle(NAME), "pool_start");

	return function ? function(slot) : -1;
}
