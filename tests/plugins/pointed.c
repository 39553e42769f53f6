/* SPDX-License-Identifier: MIT */
/* A plugin that hosts keep pointers into. */
#include "plugin.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

PLUGIN void on_tick(void);
PLUGIN void on_tock(void);
PLUGIN void *pointed_use(void *data);
PLUGIN long pointed_thread(long number);
PLUGIN int pointed_atfork(void);

/* What is pointed to one by one. */
char pointed_array[4096];

PLUGIN void on_tick(void)
{
	NOT_A_TAIL_CALL();
}

PLUGIN void on_tock(void)
{
	NOT_A_TAIL_CALL();
}

/* Leaves addresses of the plugin in the dead part of the stack. */
PLUGIN void *pointed_use(void *data)
{
	void *volatile words[64];

	for (int i = 0; i < 64; i++)
		words[i] = i % 2 ? (void *)on_tick : (void *)&pointed_array[i];
	on_tick();
	on_tock();
	return words[0] == data ? data : NULL;
}

/* A thread that comes and goes: its stack stays behind. */
PLUGIN long pointed_thread(long number)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, pointed_use, pointed_array) != 0)
		return -1;
	pthread_join(thread, NULL);
	return number;
}

PLUGIN int pointed_atfork(void)
{
	return pthread_atfork(on_tick, on_tock, on_tock);
}
