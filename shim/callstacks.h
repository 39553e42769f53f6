/* SPDX-License-Identifier: MIT */
/*
 * Whose is an allocation: from the state at the return of an interposed
 * function to its owner and place.
 *
 * Each thread remembers the stacks it has seen.  What unwinding finds depends
 * on the start registers, on the code that is loaded, and on the words of the
 * stack that it reads; so a remembered stack holds those words, and when each
 * still has its value, the same stack is there again, exactly.  Nothing is
 * remembered across an unload, nor through frames with unusual rules.
 */
#ifndef RELIB_CALLSTACKS_H
#define RELIB_CALLSTACKS_H

#include <stdint.h>

#include "shim/heap.h"
#include "shim/thread.h"
#include "shim/unwind.h"

/* The state of the caller of an interposed function, right after its return. */
struct caller {
	uintptr_t pc, sp, bp;
};

/*
 * For use in the interposed function itself, which then keeps a frame pointer:
 * | ... | saved rbp | return address | caller's stack
 */
#define CALLER_HERE() ((struct caller){ \
	(uintptr_t)__builtin_return_address(0), \
	(uintptr_t)__builtin_frame_address(0) + 16, \
	*(uintptr_t *)__builtin_frame_address(0) })

struct callstacks;
/* Bytes of a thread's memory of stacks, which is all zero when nothing is remembered. */
size_t callstacks_size(void);

/*
 * Who owns what is allocated here: the first frame that is not of the runtime
 * decides.  place 0: the host's.
 */
struct origin callstacks_origin(struct thread *thread, struct caller caller);

/* The rule to leave the frame at pc, remembered where the thread can. */
struct unwind_rule callstacks_rule(struct thread *thread, uintptr_t pc);

#endif
