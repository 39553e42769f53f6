/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "shim/loader.h"
#include "shim/next.h"
#include "shim/objects.h"
#include "shim/opens.h"
#include "shim/session.h"
#include "shim/sys.h"
#include "shim/text.h"
#include "shim/thread.h"
#include "shim/unloading.h"
#include "shim/unwind.h"

/* Where the stubs of dlopen and dlmopen jump to. */
void *next_dlopen, *next_dlmopen;

bool loader_interposed;

#define TRIES 8	       /* to find what is loaded now */
#define DEPTH_MOST 64u /* frames between the loader's allocation and dlopen */

/* Whose is the call: pc, sp and rbp as the stub found them. */
int loader_before_open(const char *file, int flags, const uintptr_t *slot)
{
	static _Atomic uint32_t loads;
	const struct caller caller = {*slot, (uintptr_t)(slot + 1), CALLER_BP(CALLER_FRAME())};
	struct thread *thread = &thread_self;
	struct object *loaded;
	uint32_t record;
	int saved = errno;

	next_ready();
	next_dlopen = (void *)next.dlopen;
	next_dlmopen = (void *)next.dlmopen;
	objects_activate();
	if (!loader_interposed && session_open())
		session->flags |= SESSION_NOT_INTERPOSED;
	loaded = opens_begin(file, &caller, &record);
	/* it may have gone meanwhile, and another thread loaded it again */
	for (int i = 0; i < TRIES && loaded && !unloading_revive(loaded, record, flags); i++)
		loaded = opens_search(file, &record);
	if (!loaded && file && !(flags & RTLD_NOLOAD))
		unloading_before_load();
	/* after that, which may run initializers that open something themselves */
	thread->open_slot = (uintptr_t)slot;
	thread->load = ++loads;
	thread->open_for_ever = flags & RTLD_NODELETE;
	if (flags & RTLD_DEEPBIND) {
		/* it would bind the module's malloc past us: its blocks would be freed unseen */
		flags &= ~RTLD_DEEPBIND;
		if (session_open())
			session_note(SESSION_NOTE_DEEPBIND, 0, 0, 0, file ? file : "");
	}
	errno = saved;
	return flags;
}

void loader_allocated(size_t nmemb, size_t size)
{
	/* how _dl_new_object asks for a link map */
	if (size == 1 && nmemb >= LOADER_LINK_MAP_LEAST)
		thread_self.loading = true;
}

void loader_look(uintptr_t pc, uintptr_t sp, uintptr_t bp)
{
	struct thread *thread = &thread_self;
	int saved = errno;

	if (thread->inside)
		return;
	thread->inside++;
	/* between the link map's making and its entry into the list there are more allocations */
	if (objects_sync(true, pc, sp, bp))
		thread->loading = false;
	thread->inside--;
	errno = saved;
}

struct open_search {
	uintptr_t slot;
	unsigned int left;
	bool found;
};

static bool open_visit(void *data, uintptr_t pc, uintptr_t cfa)
{
	struct open_search *search = data;

	/* the return address that leads out of the frame stands right below its CFA */
	search->found = cfa - sizeof(uintptr_t) == search->slot;
	return !search->found && --search->left;
}

bool loader_is_in_open(uintptr_t pc, uintptr_t sp, uintptr_t bp)
{
	struct open_search search = {.slot = thread_self.open_slot, .left = DEPTH_MOST};

	if (!search.slot || search.slot < sp)
		return false;
	unwind_walk(&thread_self, pc, sp, bp, open_visit, &search);
	return search.found;
}

/* By the kernel, not by realpath(), which takes more than some threads' whole stack. */
void loader_real_path(const char *name, char *path, size_t size)
{
	char link[32];
	struct text text = text_in(link, sizeof(link));
	int fd = *name ? (int)sys_open(name, O_PATH, 0) : -1;
	size_t given = strlen(name);
	long length = -1;

	text_add(&text, fd >= 0 ? "/proc/self/fd/" : "/proc/self/exe");
	if (fd >= 0)
		text_number(&text, (uint64_t)fd, 10, 1);
	if (fd >= 0 || !*name)
		length = sys_call(SYS_readlink, link, path, size - 1);
	if (fd >= 0)
		sys_close(fd);
	if (length <= 0 || *path != '/') {
		length = given < size ? (long)given : 0;
		memcpy(path, name, (size_t)length);
	}
	path[length] = 0;
}
