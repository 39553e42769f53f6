/* SPDX-License-Identifier: MIT */
/* What a host has that its plugins use: locks, and children to wait for. */
#include "plugin.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <threads.h>

#define BOX_LOCKS 32

pthread_mutex_t box_mutex[BOX_LOCKS];
pthread_rwlock_t box_rwlock[BOX_LOCKS];
mtx_t box_mtx[BOX_LOCKS];
pthread_mutex_t *box_heap_mutex;

__attribute__((constructor)) static void begin(void)
{
	for (int i = 0; i < BOX_LOCKS; i++) {
		pthread_mutex_init(&box_mutex[i], NULL);
		pthread_rwlock_init(&box_rwlock[i], NULL);
		mtx_init(&box_mtx[i], mtx_timed);
	}
	box_heap_mutex = malloc(sizeof(*box_heap_mutex));
	pthread_mutex_init(box_heap_mutex, NULL);
}

PLUGIN long unlock_mutex(long number)
{
	long result = pthread_mutex_unlock(&box_mutex[number]);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long unlock_rwlock(long number)
{
	long result = pthread_rwlock_unlock(&box_rwlock[number]);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long wait_all(long unused)
{
	long count = 0;

	(void)unused;
	while (wait(NULL) > 0)
		count++;
	return count;
}
