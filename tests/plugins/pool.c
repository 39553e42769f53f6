/* SPDX-License-Identifier: MIT */
/* A library that a plugin brings, with a thread of its own. */
#include "plugin.h"
#include "waiter.h"

#include <stdlib.h>

static int done;

static void *pool_run(void *data)
{
	host_hold((long)data);
	done++;
	return NULL;
}

PLUGIN long pool_start(long slot)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, pool_run, (void *)slot) != 0)
		abort();
	host_thread(slot, thread);
	host_arrived(slot);
	return slot;
}

__attribute__((constructor)) static void begin(void)
{
	host_note("+pool");
}

__attribute__((destructor)) static void end(void)
{
	host_note("-pool");
}
