/* SPDX-License-Identifier: MIT */
/*
 * What stands between the C library and a module's function that it would call
 * later: the C library gets a function of ours and an entry.
 *
 * Entries lie in memory of their own that is a root like any other, since what
 * a module handed over for its function is referred to from nowhere else; and
 * are cleared when they are given back.  An entry that a notification may still
 * bring along must not be taken for the next one that lies there: hence numbers
 * that are never used again, in place of addresses.
 */
#ifndef RELIB_HOOK_ENTRIES_H
#define RELIB_HOOK_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hook_entry {
	uint64_t number;     /* never used again; 0: not in use */
	uintptr_t function;  /* the module's */
	uintptr_t argument;  /* for it */
	uintptr_t handle;    /* what the C library calls it: a timer's id */
	uint32_t place;	     /* where it was made, 0: not known */
	uint16_t generation; /* whose function it is */
	uint8_t kind;	     /* enum session_dangling_kind */
	bool dropped;	     /* do not call it any more */
	uint32_t running;    /* calls of it that are under way */
	uint32_t balance;    /* where it is counted, 0: nowhere */
};

/*
 * A new entry, filled from like but for its number, or NULL.  Any thread; each
 * function here takes the lock of the entries for its own time only.
 */
struct hook_entry *hook_entry_take(const struct hook_entry *like);
void hook_entry_give(struct hook_entry *entry);

/* The entry of that number as it is now, and counts a call; false: it is gone or dropped. */
bool hook_entry_enter(uint64_t number, struct hook_entry *copy);
void hook_entry_leave(uint64_t number);

/* Calls visit for each entry of the kind, without the lock: one unload at a time. */
void hook_entries_each(
	uint8_t kind, void (*visit)(struct hook_entry *entry, void *data), void *data);

/* The slot of the tracked module whose code the function is, 0: none. */
uint16_t hook_owner(uintptr_t function);

/* In the interposer itself: where its caller makes the entry, or 0. */
struct caller;
uint32_t hook_place(const struct caller *caller);

void hook_entries_fork_child(void);

#endif
