/* SPDX-License-Identifier: MIT */
/*
 * A plugin that leaves something behind which would crash the host after it
 * went.  What it leaves is chosen by a macro: THREAD, KEY, LOCAL (C++), SIGNAL,
 * TIMER or CALLBACK.  VERSION tells builds apart; PADDING makes the image
 * larger by so many bytes.
 */
#include "plugin.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#ifdef __cplusplus
#define HOST extern "C"
#else
#define HOST extern
#endif

/* The host counts what the plugin's leftovers do while it is loaded. */
HOST void host_note(long version);
HOST long host_wait(long version);

#ifdef PADDING
__attribute__((used)) static const char padding[PADDING] = {1};
#endif

PLUGIN long misbehave_version(long unused)
{
	(void)unused;
	return VERSION;
}

#if defined(THREAD)
static void *left_thread(void *unused)
{
	host_wait(VERSION);
	NOT_A_TAIL_CALL();
	return unused;
}

PLUGIN long misbehave(long unused)
{
	pthread_t thread;
	long failed = pthread_create(&thread, NULL, left_thread, NULL);

	(void)unused;
	if (!failed)
		pthread_detach(thread);
	return failed;
}
#elif defined(KEY)
static void left_destructor(void *value)
{
	(void)value;
	host_note(VERSION);
}

static pthread_key_t left_key;

/* A key, and a value of the first thread that calls. */
PLUGIN long misbehave(long unused)
{
	(void)unused;
	return pthread_key_create(&left_key, left_destructor) ||
	       pthread_setspecific(left_key, &left_key);
}

/* Another thread's. */
PLUGIN long misbehave_too(long unused)
{
	(void)unused;
	return pthread_setspecific(left_key, &left_key);
}
#elif defined(LOCAL)
namespace
{
struct Left {
	~Left()
	{
		host_note(VERSION);
	}
	int touched = 0;
};
thread_local Left left;
} // namespace

PLUGIN long misbehave(long unused)
{
	left.touched++;
	return unused;
}

PLUGIN long misbehave_too(long unused)
{
	left.touched++;
	return unused;
}
#elif defined(SIGNAL)
static void left_handler(int number)
{
	(void)number;
	host_note(VERSION);
}

PLUGIN long misbehave(long unused)
{
	struct sigaction action;

	(void)unused;
	memset(&action, 0, sizeof(action));
	action.sa_handler = left_handler;
	return sigaction(SIGUSR1, &action, NULL) || raise(SIGUSR1);
}
#elif defined(TIMER)
static void left_notify(union sigval value)
{
	(void)value;
	host_note(VERSION);
}

PLUGIN long misbehave(long unused)
{
	struct itimerspec often = {{0, 200000}, {0, 200000}};
	struct sigevent event;
	timer_t timer;

	(void)unused;
	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD;
	event.sigev_notify_function = left_notify;
	return timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	       timer_settime(timer, 0, &often, NULL);
}
#else
/* The host keeps the function. */
PLUGIN long left_callback(long version)
{
	host_note(VERSION);
	return version == VERSION;
}

PLUGIN long misbehave(long unused)
{
	return unused;
}
#endif
