// SPDX-License-Identifier: MIT
// A plugin that is hard to load or to unload.  With THROWS, CRASHES or LACKS it
// cannot be loaded: a constructor throws or faults, or a symbol is not there.
#include "plugin.h"

#include <cstdlib>
#include <pthread.h>

// not every host has them
extern "C" __attribute__((weak)) void host_reached(void);
extern "C" __attribute__((weak)) void host_wait(void);

#if defined(THROWS)
static struct Thrower {
	Thrower() { throw 42; }
} thrower;
#elif defined(CRASHES)
static int *volatile nowhere;
static struct Crasher {
	Crasher() { *nowhere = 1; }
} crasher;
#elif defined(LACKS)
extern "C" void there_is_no_such_function(void);
PLUGIN void lacking(void)
{
	there_is_no_such_function();
}
#endif

PLUGIN long leak(long count)
{
	for (long i = 0; i < count; i++)
		forget(malloc(100));
	return count;
}

PLUGIN long free_twice(long size)
{
	void *volatile block = malloc(static_cast<size_t>(size));

	free(block);
	free(block);
	return size;
}

namespace {

// Its destructor waits for the host.
struct Slow {
	~Slow()
	{
		host_reached();
		host_wait();
	}
	int touched = 0;
};
thread_local Slow slow;
pthread_key_t key;

void slow_end(void *)
{
	host_reached();
	host_wait();
}

void *run_slow_local(void *argument)
{
	slow.touched++;
	return argument;
}

void *run_slow_key(void *argument)
{
	pthread_setspecific(key, &key);
	return argument;
}

void *run_slow_both(void *argument)
{
	slow.touched++;
	pthread_setspecific(key, &key);
	return argument;
}

void *run_waiting(void *argument)
{
	host_reached();
	host_wait();
	return argument;
}

void *run_nothing(void *argument)
{
	return argument;
}

void *run_exit(void *argument)
{
	pthread_exit(argument);
}

long detached(void *(*run)(void *), size_t stack)
{
	pthread_attr_t attr;
	pthread_t thread;
	int result;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (stack)
		pthread_attr_setstacksize(&attr, stack);
	result = pthread_create(&thread, &attr, run, nullptr);
	pthread_attr_destroy(&attr);
	return result;
}

} // namespace

PLUGIN long start_slow_local(long)
{
	return detached(run_slow_local, 0);
}

PLUGIN long start_slow_key(long)
{
	return pthread_key_create(&key, slow_end) || detached(run_slow_key, 0);
}

PLUGIN long start_slow_both(long)
{
	return pthread_key_create(&key, slow_end) || detached(run_slow_both, 0);
}

PLUGIN long start_waiting(long)
{
	return detached(run_waiting, 0);
}

// So many of each; returns how many were not created, which is a third.
PLUGIN long start_many(long count)
{
	long failed = 0;

	for (long i = 0; i < count; i++) {
		failed += detached(run_nothing, 65536) != 0;
		failed += detached(run_exit, 65536) != 0;
		failed += detached(run_nothing, static_cast<size_t>(1) << 46) != 0;
	}
	return failed;
}
