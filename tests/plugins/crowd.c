/* SPDX-License-Identifier: MIT */
/* Makes crowds of threads that wait at a gate, and end in many ways. */
#include "plugin.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define CROWD_MOST 500

static pthread_t crowd[CROWD_MOST];
static sem_t gate, arrived;
static pthread_key_t key;

__attribute__((constructor)) static void begin(void)
{
	sem_init(&gate, 0, 0);
	sem_init(&arrived, 0, 0);
	pthread_key_create(&key, free);
}

static void pass(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		;
}

NOINLINE static void *one(void *data)
{
	intptr_t number = (intptr_t)data;

	if (number % 4 == 1)
		pthread_setspecific(key, malloc(40));
	free(malloc(100));
	sem_post(&arrived);
	pass(&gate);
	if (number % 4 == 2)
		pthread_exit(data);
	return data;
}

/* Every other thread has the smallest stack there is. */
PLUGIN int crowd_begin(int count)
{
	pthread_attr_t attributes;

	for (intptr_t i = 0; i < count; i++) {
		pthread_attr_init(&attributes);
		pthread_attr_setstacksize(
			&attributes, i % 2 ? (size_t)sysconf(_SC_THREAD_STACK_MIN) : 65536);
		if (pthread_create(&crowd[i], &attributes, one, (void *)i) != 0)
			return -1;
		pthread_attr_destroy(&attributes);
	}
	for (int i = 0; i < count; i++)
		pass(&arrived);
	return count;
}

/* Opens the gate, and waits for all: returns how many were right. */
PLUGIN int crowd_end(int count)
{
	int right = 0;
	void *value;

	for (int i = 0; i < count; i++)
		sem_post(&gate);
	for (intptr_t i = 0; i < count; i++)
		right += pthread_join(crowd[i], &value) == 0 && (intptr_t)value == i;
	return right;
}
