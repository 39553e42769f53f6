/* SPDX-License-Identifier: MIT */
/* The library's begin and end, and what it does around fork. */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/objects.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/thread.h"
#include "shim/unload.h"

/*
 * Nothing of ours is waited for without end here: a lock that another thread
 * keeps is given up, and what it guards is in the child as if it were lost.
 */
static void fork_prepare(void)
{
	int saved = errno;

	unload_fork_prepare();
	heap_fork_prepare();
	session_fork_prepare();
	errno = saved;
}

static void fork_parent(void)
{
	session_fork_parent();
	heap_fork_parent();
	unload_fork_parent();
}

static void fork_child(void)
{
	int saved = errno;

	lock_self_forked();
	heap_fork_child();
	objects_fork_child();
	object_record_fork_child();
	generation_fork_child();
	thread_fork_child();
	session_fork_child();
	places_fork_child(thread_self.counters);
	unload_fork_child();
	errno = saved;
}

__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
	int saved = errno;

	settings_read(envp);
	next_ready();
	thread_initialise();
	objects_initialise();
	pthread_atfork(fork_prepare, fork_parent, fork_child);
	errno = saved;
}

/* Interposers go on after this: other destructors still allocate and free. */
__attribute__((destructor)) static void end(void)
{
	int saved = errno;

	unload_finish();
	session_close();
	errno = saved;
}
