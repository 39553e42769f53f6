/* SPDX-License-Identifier: MIT */
/*
 * Learning that a thread has left a module: its return address on the stack,
 * where the outermost function of the module returns to the host, is changed
 * to a stub of ours that tells, and goes on where it should have returned to.
 * Exceptions, longjmp and the thread's end go past it: what waits is then found
 * at the next occasion.
 */
#ifndef RELIB_LEAVE_H
#define RELIB_LEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LEAVE_ENTRIES 64u /* as in leave-x86_64.S */

extern const unsigned char leave_stubs[] __attribute__((visibility("hidden")));
extern const unsigned char leave_stubs_end[] __attribute__((visibility("hidden")));

struct leave_entry {
	uintptr_t to;	/* what the stub returns to; 0: free */
	uintptr_t slot; /* where the return address stood */
};
extern struct leave_entry leave_to[LEAVE_ENTRIES] __attribute__((visibility("hidden")));

/* A return address as it was before it was changed. */
static inline uintptr_t leave_resolve(uintptr_t pc)
{
	uintptr_t offset = pc - (uintptr_t)leave_stubs;

	if (__builtin_expect(offset >= LEAVE_ENTRIES * 16u, 1))
		return pc;
	return leave_to[offset / 16].to;
}

/*
 * With the world stopped: changes the return address at slot, of a thread that
 * stands still.  True when it is changed, or was before.
 */
bool leave_watch(uintptr_t slot);

/*
 * With the world stopped: forgets what was changed on stacks that were left
 * another way.  The stack need not be the one that its thread is on now: it may
 * be a coroutine's, or the thread is in a signal handler on another.
 * readable(data, slot): that word can be read.
 */
void leave_forget(bool (*readable)(void *data, uintptr_t slot), void *data);

#endif
