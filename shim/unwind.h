/* SPDX-License-Identifier: MIT */
/*
 * Walking up the calling thread's stack, by the rules of .eh_frame.
 *
 * For each return address the rule is worked out once and remembered until an
 * object is unloaded (objects_epoch): a module loaded again at the same address
 * may have other code there.  Only rsp, rbp and the return address are
 * followed; a frame that needs other registers ends the walk.
 *
 * Wrong unwind information must not crash the host: every word is read only
 * from memory known to be readable, and the stack must grow in one direction.
 */
#ifndef RELIB_UNWIND_H
#define RELIB_UNWIND_H

#include <stdbool.h>
#include <stdint.h>

struct thread;

enum unwind_base {
	UNWIND_NONE, /* no rule: the walk ends, cut */
	UNWIND_END,  /* outermost frame: the walk ends, complete */
	UNWIND_SP,
	UNWIND_BP,
	UNWIND_SPECIAL, /* a signal frame or an expression: worked out each time */
};

/* How to leave a frame: CFA = base + offset, the return address is at CFA - 8. */
struct unwind_rule {
	int32_t offset;
	int16_t bp_offset; /* the caller's rbp is at CFA + 8 * bp_offset; 0: unchanged */
	uint8_t base;	   /* enum unwind_base */
	uint8_t spare;
};
_Static_assert(sizeof(struct unwind_rule) == 8, "unwind_rule");

struct unwind_frame {
	uintptr_t pc, sp, bp;
	bool interrupted; /* pc is where a signal came, not a return address */
	/* what the last step did */
	uintptr_t pc_slot; /* where pc was read */
	uintptr_t bp_slot; /* where bp was last read; 0: it is as at the start */
	bool used_bp;	   /* the step needed bp */
	bool special;	   /* the step was UNWIND_SPECIAL */
};

enum unwind_step { UNWIND_STEPPED, UNWIND_AT_END, UNWIND_CUT };

/* Goes from the frame at pc to its caller. */
enum unwind_step unwind_step(struct thread *thread, struct unwind_frame *frame);

/*
 * Calls visit(data, pc, cfa) for the frame at pc and each caller until it
 * returns false or the stack ends.
 */
void unwind_walk(struct thread *thread, uintptr_t pc, uintptr_t sp, uintptr_t bp,
	bool (*visit)(void *data, uintptr_t pc, uintptr_t cfa), void *data);

/* unwind-cfi.c: the rule of a code address, from the object that covers it. */
struct unwind_rule unwind_rule_find(uintptr_t pc);

/* unwind-cfi.c: a step by expressions.  False: not understood. */
bool unwind_step_special(struct thread *thread, struct unwind_frame *frame);

/* stack-reader.c: true when the word at address can be read; cheap when near the last. */
bool stack_readable_slow(struct thread *thread, uintptr_t sp, uintptr_t address);

#endif
