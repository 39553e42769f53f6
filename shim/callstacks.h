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
#include "shim/objects.h"
#include "shim/settings.h"
#include "shim/thread.h"
#include "shim/unwind.h"

/* The state of the caller of an interposed function, right after its return. */
struct caller {
	uintptr_t pc, sp, bp;
};

/*
 * For use in the interposed function itself, which then keeps a frame pointer:
 * | ... | saved rbp | return address | caller's stack
 *
 * The saved rbp is given along as a value: when the function ends in a jump to
 * another, its place on the stack is no longer its own.
 */
#define CALLER_FRAME() ((const uintptr_t *)__builtin_frame_address(0))
#define CALLER_BP(frame) ((frame)[0])

static inline struct caller caller_of(const uintptr_t *frame, uintptr_t bp)
{
	return (struct caller){frame[1], (uintptr_t)(frame + 2), bp};
}

#define RULES 1024u /* remembered, direct-mapped */
#define STACKS_SHIFT 9
#define STACKS (1u << STACKS_SHIFT) /* likewise */
#define SLOTS_MOST 40u		    /* words of a remembered stack */

/* One remembered stack; all zero when not in use. */
struct remembered {
	uint64_t key; /* the path of comparisons that leads here */
	uintptr_t pc, sp, bp;
	uint32_t epoch;
	uint16_t slot_count;
	bool uses_bp;
	struct origin origin;
	uint32_t reach;		     /* bytes from sp to the last word */
	uint32_t offset[SLOTS_MOST]; /* of each word from sp */
	uintptr_t value[SLOTS_MOST];
};

struct callstacks {
	struct {
		uintptr_t pc;
		uint32_t epoch;
		struct unwind_rule rule;
	} rule[RULES];
	struct remembered stack[STACKS];
};

/* Bytes of a thread's memory of stacks, which is all zero when nothing is remembered. */
size_t callstacks_size(void);

/* Unwinds afresh, and remembers it in entry, under key, unless entry is NULL.  Keeps errno. */
struct origin callstacks_find(
	struct thread *thread, const struct caller *caller, struct remembered *entry, uint64_t key);

/* With one frame wanted, and that a module's, the place follows from pc alone. */
static inline bool callstacks_pc_enough(uint32_t code)
{
	return settings.frames <= 1 && CODE_CLASS(code) == CODE_MODULE;
}

static inline uint64_t callstacks_mix(uint64_t key)
{
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return key ^ key >> 29;
}

#define STEPS_MOST 8u /* stacks that are compared before unwinding is cheaper */

/*
 * Who owns what is allocated here: the first frame that is not of the runtime
 * decides.  code: that of the caller.  place 0: the host's.
 *
 * Many stacks may end in the same pc and sp.  They are compared word by word
 * from the innermost frame; where one differs from the stack that is there,
 * that word leads on to the next.  All its words before are the same, so the
 * word that differs is a return address (or saved rbp) in both.
 */
static inline struct origin callstacks_origin(
	struct thread *thread, const struct caller *caller, uint32_t code)
{
	uintptr_t sp = callstacks_pc_enough(code) ? 0 : caller->sp;
	uint32_t epoch = __atomic_load_n(&objects_epoch, __ATOMIC_RELAXED);
	struct remembered *entry = NULL;
	uint64_t key = callstacks_mix(caller->pc ^ sp << 20);

	for (unsigned int step = 0; thread->stacks && step < STEPS_MOST; step++) {
		unsigned int i;

		entry = &thread->stacks->stack[key >> (64 - STACKS_SHIFT)];
		if (__builtin_expect(entry->key != key || entry->pc != caller->pc ||
					     entry->sp != sp || entry->epoch != epoch,
			    0))
			break;
		if (entry->uses_bp && entry->bp != caller->bp) {
			key = callstacks_mix(key ^ caller->bp);
			continue;
		}
		/* never read what may not be readable any more */
		if (entry->slot_count && (caller->sp < thread->stack_low ||
						 caller->sp + entry->reach >= thread->stack_high))
			break;
		for (i = 0; i < entry->slot_count; i++)
			if (*(const uintptr_t *)(caller->sp + entry->offset[i]) != entry->value[i])
				break;
		if (__builtin_expect(i == entry->slot_count, 1))
			return entry->origin;
		key = callstacks_mix(key ^ i ^ *(const uintptr_t *)(caller->sp + entry->offset[i]));
	}
	return callstacks_find(thread, caller, entry, key);
}

/* The rule to leave the frame at pc, remembered where the thread can. */
struct unwind_rule callstacks_rule(struct thread *thread, uintptr_t pc);

#endif
