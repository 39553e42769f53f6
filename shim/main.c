/* SPDX-License-Identifier: MIT */
/* The library's begin and end, and what it does around fork. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "shim/arena.h"
#include "shim/balances.h"
#include "shim/children.h"
#include "shim/finalizers.h"
#include "shim/generation.h"
#include "shim/guard.h"
#include "shim/heap.h"
#include "shim/held-locks.h"
#include "shim/hooks.h"
#include "shim/keys.h"
#include "shim/late.h"
#include "shim/ledger.h"
#include "shim/loader.h"
#include "shim/lock.h"
#include "shim/mappings.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/objects.h"
#include "shim/opens.h"
#include "shim/places.h"
#include "shim/segv.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/signals.h"
#include "shim/stacks.h"
#include "shim/thread-locals.h"
#include "shim/thread.h"
#include "shim/threads.h"
#include "shim/unload.h"
#include "shim/unloading.h"
#include "shim/watchdog.h"

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
	mappings_fork_prepare();
	arena_fork_prepare();
	thread_locals_fork_prepare();
	errno = saved;
}

static void fork_parent(void)
{
	arena_fork_parent();
	mappings_fork_parent();
	session_fork_parent();
	heap_fork_parent();
	unload_fork_parent();
}

static void fork_child(void)
{
	int saved = errno;

	lock_self_forked();
	arena_fork_child();
	heap_fork_child();
	objects_fork_child();
	object_record_fork_child();
	generation_fork_child();
	balances_fork_child();
	ledger_fork_child();
	mappings_fork_child();
	held_locks_fork_child();
	hooks_fork_child();
	thread_fork_child();
	opens_fork_child();
	watchdog_fork_child();
	unloading_fork_child();
	session_fork_child();
	hooks_fork_settle();
	threads_fork_child();
	thread_locals_fork_child();
	keys_fork_child();
	places_fork_child(thread_self.counters);
	unload_fork_child();
	guard_fork_child();
	segv_fork_child();
	late_fork_child();
	signals_fork_child();
	errno = saved;
}

/* How much lies below a thread's descriptor, as the loader tells its friends. */
static void static_tls_find(void)
{
	void (*info)(size_t * size, size_t * alignment);
	size_t size = 0, alignment = 0;

	*(void **)&info = dlsym(RTLD_DEFAULT, "_dl_get_tls_static_info");
	if (info)
		info(&size, &alignment);
	else
		dlerror();
	/* the loader counts the descriptor too */
	stacks_static_tls = size > ARCH_THREAD_ABOVE ? size - ARCH_THREAD_ABOVE : 0;
}

/*
 * A program that defines malloc itself comes before us: nothing of what is
 * allocated is seen, and all that can be done is to say so.  One that only
 * takes its address, and is not position-independent, is found too: with an
 * undefined symbol, whose value is where the program calls through to us.
 */
static bool is_interposed(void)
{
	void *found = dlsym(RTLD_DEFAULT, "malloc");
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (found == (void *)interposed_malloc)
		return true;
	return dladdr1(found, &info, (void **)&symbol, RTLD_DL_SYMENT) && symbol &&
	       symbol->st_shndx == SHN_UNDEF;
}

__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
	int saved = errno;

	settings_read(envp);
	finalizers_arguments(argc, argv);
	next_ready();
	thread_initialise();
	objects_initialise();
	static_tls_find();
	loader_interposed = is_interposed();
	pthread_atfork(fork_prepare, fork_parent, fork_child);
	errno = saved;
}

/* Interposers go on after this: other destructors still allocate and free. */
__attribute__((destructor)) static void end(void)
{
	int saved = errno;

	unload_finish();
	threads_names_refresh();
	children_refresh();
	session_close();
	errno = saved;
}
