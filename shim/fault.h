/* SPDX-License-Identifier: MIT */
/*
 * Surviving a fault while the world is stopped.
 *
 * Between fault_watch and fault_unwatch a SIGSEGV, SIGBUS, SIGILL or SIGFPE of
 * the code itself goes back to the innermost guard:
 *
 *	struct fault_guard guard;
 *
 *	if (fault_caught(&guard)) {
 *		... guard.address could not be read; the guard is off
 *	} else {
 *		... may fault
 *		fault_leave(&guard);
 *	}
 *
 * As with setjmp, locals that change inside and are used after a fault must be
 * volatile.  There is one chain of guards: only the one thread that looks at
 * the stopped world uses them.  Without fault_watch a guard does nothing.
 */
#ifndef RELIB_FAULT_H
#define RELIB_FAULT_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/arch.h"

struct fault_guard {
	void *mark[5]; /* of __builtin_setjmp */
	struct fault_guard *outer;
	uintptr_t address; /* out: what could not be accessed */
};

extern struct fault_guard *volatile fault_innermost;

#define fault_caught(guard) (fault_enter(guard), __builtin_setjmp((guard)->mark) != 0)

static inline void fault_enter(struct fault_guard *guard)
{
	guard->outer = fault_innermost;
	fault_innermost = guard;
}

static inline void fault_leave(struct fault_guard *guard)
{
	fault_innermost = guard->outer;
}

/* A caught fault that is none of ours: hands it to the guard outside. */
void fault_pass_on(const struct fault_guard *guard);

/*
 * Takes the handlers of this process (of the helper, when the helper calls it)
 * and gives them back.  Signals somebody sent meanwhile are sent again by
 * fault_unwatch.  All raw: errno is kept.
 */
void fault_watch(void);
void fault_unwatch(void);

#endif
