/* SPDX-License-Identifier: MIT */
/*
 * A plugin of waiter.c with finalizers.  NAME: in the host's log.  WORKER: one
 * of them joins a thread that an initializer started.  BARE: linked without
 * start files, with begin and end as DT_INIT and DT_FINI.  CLOSES, OPENS: the
 * name of a plugin that the last finalizer closes, the path of one it opens.
 */
#include "plugin.h"
#include "waiter.h"

#include <dlfcn.h>
#include <stdlib.h>

#ifndef NAME
#define NAME "f"
#endif

static int finals_count;

#ifdef WORKER
static pthread_t worker;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int stop;

static void *work(void *data)
{
	pthread_mutex_lock(&lock);
	while (!stop)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	host_note("worker-" NAME);
	return data;
}

static void worker_start(void)
{
	stop = 0;
	if (pthread_create(&worker, NULL, work, NULL) != 0)
		abort();
}

static void worker_join(void)
{
	pthread_mutex_lock(&lock);
	stop = 1;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(worker, NULL);
}
#else
static void worker_start(void)
{
}

static void worker_join(void)
{
	host_note("worker-" NAME);
}
#endif

PLUGIN long answer(long number)
{
	return number + 41;
}

#ifdef BARE
void begin(void)
{
	host_note("init-" NAME);
	worker_start();
}

void end(void)
{
	worker_join();
	host_note("fini-" NAME);
	finals_count++;
}
#else
static void at_exit_first(void)
{
	host_note("atexit1-" NAME);
}

static void at_exit_second(void)
{
	host_note("atexit2-" NAME);
}

__attribute__((constructor(200))) static void begin_first(void)
{
	host_note("init1-" NAME);
	atexit(at_exit_first);
}

__attribute__((constructor)) static void begin_second(void)
{
	host_note("init2-" NAME);
	worker_start();
	atexit(at_exit_second);
}

__attribute__((destructor(200))) static void end_last(void)
{
#ifdef CLOSES
	host_note(dlclose(host_handle(CLOSES)) ? "not-closed" : "closed");
#endif
#ifdef OPENS
	host_note(dlopen(OPENS, RTLD_NOW) ? "opened" : "not-opened");
#endif
	host_note("fini1-" NAME);
	finals_count++;
}

__attribute__((destructor)) static void end_first(void)
{
	worker_join();
	host_note("fini2-" NAME);
}
#endif
