/* SPDX-License-Identifier: MIT */
/* What the tests of stopping the world share. */
#ifndef RELIB_TESTS_STOPPED_H
#define RELIB_TESTS_STOPPED_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>

#include "shim/world-ways.h"

static const unsigned int ways[] = {WORLD_WAY_PTRACE, WORLD_WAY_SIGNAL};
__attribute__((unused)) static const enum world_method methods[] = {WORLD_PTRACE, WORLD_SIGNAL};

static volatile size_t looked_threads;
static volatile unsigned long ticks; /* of threads that run all the time */
static volatile bool moved;

/* The world stands still: what others write all the time does not change. */
__attribute__((unused)) static void look_still(const struct world *world, void *data)
{
	const unsigned long before = ticks;
	volatile int i;

	(void)data;
	for (i = 0; i < 20000; i++)
		;
	moved = before != ticks;
	looked_threads = world->thread_count;
}

static struct world_result result;

__attribute__((noinline, unused)) static bool stop(
	unsigned int way, void (*look)(const struct world *, void *), void *data)
{
	struct world_caller caller;

	world_caller_here(&caller);
	return world_stop_ways(way, &caller, look, data, &result);
}

__attribute__((unused)) static void *idle(void *data)
{
	sem_wait(data);
	return NULL;
}

__attribute__((unused)) static void *runner(void *data)
{
	while (!*(volatile bool *)data)
		ticks++;
	return NULL;
}

static volatile int arrived;

__attribute__((unused)) static void count_signal(int number)
{
	(void)number;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
}

#endif
