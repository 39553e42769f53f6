/* SPDX-License-Identifier: MIT */
/* A plugin with keys of thread-specific data; their destructors tell the host a number. */
#include "plugin.h"

#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

void host_note(int number);
void *host_value(void);

static pthread_key_t first, second, bare;
static tss_t third;
static int rounds;

static void first_end(void *value)
{
	host_note(1);
	if (--rounds > 0)
		pthread_setspecific(first, value);
}

static void second_end(void *value)
{
	free(value);
	host_note(2);
}

static void third_end(void *value)
{
	(void)value;
	host_note(3);
}

PLUGIN long keys_make(long count)
{
	(void)count;
	return pthread_key_create(&first, first_end) || pthread_key_create(&second, second_end) ||
	       pthread_key_create(&bare, NULL) || tss_create(&third, third_end) != thrd_success;
}

/* Each with its own number of rounds for the first. */
PLUGIN long keys_set(long count)
{
	rounds = (int)count;
	pthread_setspecific(first, &rounds);
	pthread_setspecific(second, malloc(20));
	pthread_setspecific(bare, &rounds);
	tss_set(third, &rounds);
	return 0;
}

/* A block that only the calling thread's value refers to. */
PLUGIN long keys_hold(long count)
{
	void *block = malloc((size_t)count);

	pthread_setspecific(bare, block);
	return 0;
}

PLUGIN long keys_delete(long count)
{
	pthread_key_delete(first);
	pthread_key_delete(second);
	pthread_key_delete(bare);
	tss_delete(third);
	return count;
}

/* The host makes a key of its own when it is called first. */
PLUGIN long keys_of_host(long count)
{
	long result = host_value() != NULL;

	NOT_A_TAIL_CALL();
	return result + count;
}
