/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "shim/leave.h"
#include "shim/objects.h"
#include "shim/unloading.h"
#include "shim/world.h"

struct leave_entry leave_to[LEAVE_ENTRIES];

uintptr_t leave_arrived(uintptr_t stub) __attribute__((visibility("hidden"), used));

bool leave_watch(uintptr_t slot)
{
	uintptr_t *word = (uintptr_t *)slot;

	if (leave_resolve(*word) != *word)
		return true;
	for (unsigned int i = 0; i < LEAVE_ENTRIES; i++) {
		struct leave_entry *entry = &leave_to[i];

		if (entry->to)
			continue;
		entry->to = *word;
		entry->slot = slot;
		/* remembered stacks tell words of the stack apart by their value only */
		__atomic_fetch_add(&objects_epoch, 1, __ATOMIC_SEQ_CST);
		*word = (uintptr_t)leave_stubs + 16 * i + 1;
		return true;
	}
	return false;
}

/*
 * Whoever is on the way through the stub has its address there too, be it in
 * the red zone.  A word that was left behind keeps its entry until something
 * else is written over it; to go wrong the other way would end the program.
 */
void leave_forget(bool (*readable)(void *data, uintptr_t slot), void *data)
{
	for (unsigned int i = 0; i < LEAVE_ENTRIES; i++) {
		uintptr_t slot = leave_to[i].slot;

		if (!leave_to[i].to)
			continue;
		if (readable(data, slot) &&
			(*(const uintptr_t *)slot - (uintptr_t)leave_stubs) / 16 == i)
			continue;
		leave_to[i] = (struct leave_entry){0};
	}
}

/* Called by the stub; returns where to go on.  Unwinders need the entry until then. */
uintptr_t leave_arrived(uintptr_t stub)
{
	struct leave_entry *entry = &leave_to[(stub - (uintptr_t)leave_stubs) / 16];
	int saved = errno;
	uintptr_t to;

	unloading_thread_left();
	to = entry->to;
	__atomic_store_n(&entry->to, 0, __ATOMIC_RELEASE);
	errno = saved;
	return to;
}
