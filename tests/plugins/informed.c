/* SPDX-License-Identifier: MIT */
/* A plugin whose thread ends only because it is told that it is to be unloaded. */
#include "plugin.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

int plugin_main(int argc, char **argv);
void relib_before_unload(void);

static sem_t end;
static pthread_t thread;

static void *wait_for_end(void *unused)
{
	sem_wait(&end);
	return NULL;
}

int plugin_main(int argc, char **argv)
{
	sem_init(&end, 0, 0);
	return pthread_create(&thread, NULL, wait_for_end, NULL);
}

void relib_before_unload(void)
{
	puts("told");
	fflush(stdout);
	sem_post(&end);
	pthread_join(thread, NULL);
}
