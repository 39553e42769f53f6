/* SPDX-License-Identifier: MIT */
/*
 * Which parts of memory are the stacks of the stopped threads, and how much of
 * each is in use.
 */
#ifndef RELIB_STACKS_H
#define RELIB_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/scan.h"
#include "shim/world.h"

/* One thread: its stack, if we are sure of it, and its descriptor. */
struct stack {
	uintptr_t low, high; /* empty when it is not known to be a stack */
	uintptr_t live;	     /* in use from here on */
	uintptr_t sp;
	uintptr_t thread, thread_end; /* struct pthread */
	pid_t tid;
};

/* Stacks in the order of addresses. */
struct stacks_order {
	uintptr_t start;
	uintptr_t reach; /* the highest end of this and all before it */
	struct stack *stack;
};

struct stacks {
	const struct world *world;
	struct stack *stacks;
	size_t count;
	struct stacks_order *by_low;	/* of all but the first thread's, see stacks_add_main */
	struct stacks_order *by_thread; /* of their descriptors */
};

/* Bytes of static thread-locals below each thread's descriptor; 0 when not known. */
extern size_t stacks_static_tls;

/* Bytes that stacks_find wants in room. */
size_t stacks_size(const struct world *world);

/*
 * Finds the stacks glibc made, or was given by pthread_attr_setstack: the
 * thread's descriptor lies at the top of its stack and says where it begins
 * and how large it is.  A thread whose stack pointer is elsewhere (on a signal
 * stack, in a coroutine) has its own stack read whole, unless the stack pointer
 * of another one is in it.  Reads under a guard.
 */
void stacks_find(struct stacks *stacks, const struct world *world, void *room);

/* The first thread's stack, which only the kernel can tell. */
void stacks_add_main(struct stacks *stacks, uintptr_t low, uintptr_t high);

/*
 * The stack of a thread whose descriptor lies at the address, if its fields
 * say so.  The thread need not be alive.
 */
bool stacks_of_thread(uintptr_t descriptor, struct scan_range *range);

/*
 * Where the part of one kind that begins at start ends, at most at end.  Sets
 * kind, tid and sp of place for a stack or descriptor; *dead for what is below
 * the stack pointer.
 */
uintptr_t stacks_part(const struct stacks *stacks, uintptr_t start, uintptr_t end,
	struct scan_place *place, bool *dead);

#endif
