/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "shim/callstacks.h"
#include "shim/generation.h"
#include "shim/objects.h"
#include "shim/places.h"
#include "shim/settings.h"
#include "shim/sys.h"

size_t callstacks_size(void)
{
	return sizeof(struct callstacks);
}

struct unwind_rule callstacks_rule(struct thread *thread, uintptr_t pc)
{
	uint32_t epoch = __atomic_load_n(&objects_epoch, __ATOMIC_RELAXED);
	unsigned int at = (pc ^ pc >> 10) % RULES;
	struct callstacks *stacks = thread->stacks;

	if (!stacks)
		return unwind_rule_find(pc);
	if (stacks->rule[at].pc != pc || stacks->rule[at].epoch != epoch) {
		stacks->rule[at].rule = unwind_rule_find(pc);
		stacks->rule[at].pc = pc;
		stacks->rule[at].epoch = epoch;
	}
	return stacks->rule[at].rule;
}

/* What a walk gathers on its way. */
struct walk {
	struct remembered seen;
	bool memorable;
	unsigned int count;
	bool cut;
	uintptr_t pcs[SETTINGS_FRAMES_MAX];
	unsigned int owner_frame;
	struct object *owner;
};

static void slot_add(struct walk *walk, uintptr_t slot)
{
	struct remembered *seen = &walk->seen;
	uintptr_t offset = slot - seen->sp;

	if (seen->slot_count == SLOTS_MOST || offset > UINT32_MAX) {
		walk->memorable = false;
		return;
	}
	if (offset > seen->reach)
		seen->reach = (uint32_t)offset;
	seen->offset[seen->slot_count] = (uint32_t)offset;
	seen->value[seen->slot_count++] = *(const uintptr_t *)slot;
}

static enum unwind_step walk_step(
	struct thread *thread, struct walk *walk, struct unwind_frame *frame)
{
	uintptr_t bp_slot = frame->bp_slot;
	enum unwind_step step = unwind_step(thread, frame);

	if (frame->special)
		walk->memorable = false;
	/* where rbp came from matters only when a rule uses it */
	if (frame->used_bp && bp_slot)
		slot_add(walk, bp_slot);
	else if (frame->used_bp)
		walk->seen.uses_bp = true;
	if (step == UNWIND_STEPPED)
		slot_add(walk, frame->pc_slot);
	return step;
}

/*
 * Decides by one frame.  True: decided.  The loader's allocations are the
 * host's, but a runtime library that a module brought owns what its own
 * constructors allocate.
 */
static bool owner_decide(struct walk *walk, uintptr_t pc)
{
	uint32_t code = code_of(pc - 1);
	struct object *before;

	switch (CODE_CLASS(code)) {
	case CODE_MODULE:
		walk->owner = object_at(code);
		return true;
	case CODE_RUNTIME:
	case CODE_SHIM: /* an interposer that the C library was called from */
		return false;
	case CODE_LOADER:
		before = walk->count ? object_of(walk->pcs[walk->count - 1] - 1) : NULL;
		if (before && before->generation)
			walk->owner = before;
		return true;
	default:
		return true;
	}
}

static void walk_stack(struct thread *thread, struct walk *walk, const struct caller *caller)
{
	struct unwind_frame frame = {.pc = caller->pc, .sp = caller->sp, .bp = caller->bp};
	unsigned int wanted = settings.frames ? settings.frames : 1;
	bool decided = false, ours;
	enum unwind_step step;

	for (;;) {
		ours = !decided && CODE_CLASS(code_of(frame.pc - 1)) == CODE_SHIM;
		if (!decided) {
			decided = owner_decide(walk, frame.pc);
			if (decided && !walk->owner)
				return;
			if (decided)
				walk->owner_frame = walk->count;
		}
		if (!ours && walk->count < SETTINGS_FRAMES_MAX)
			walk->pcs[walk->count++] = frame.pc;
		if ((decided && walk->count >= wanted) || walk->count == SETTINGS_FRAMES_MAX)
			return;
		step = walk_step(thread, walk, &frame);
		if (step != UNWIND_STEPPED) {
			walk->cut = step == UNWIND_CUT;
			return;
		}
	}
}

struct origin callstacks_find(
	struct thread *thread, const struct caller *caller, struct remembered *entry, uint64_t key)
{
	struct walk walk = {.memorable = true};
	uint32_t epoch = __atomic_load_n(&objects_epoch, __ATOMIC_RELAXED);
	int saved = errno;

	thread->inside++;
	walk.seen.pc = caller->pc;
	walk.seen.sp = caller->sp;
	walk.seen.bp = caller->bp;
	walk_stack(thread, &walk, caller);
	if (walk.owner && walk.owner->generation) {
		walk.seen.origin.place =
			place_find(walk.owner, walk.pcs, walk.count, walk.owner_frame, walk.cut);
		walk.seen.origin.generation = walk.owner->generation;
	}
	walk.seen.epoch = epoch;
	if (callstacks_pc_enough(code_of(caller->pc - 1)))
		walk.seen.sp = 0;
	walk.seen.key = key;
	if (entry && walk.memorable)
		*entry = walk.seen;
	thread->inside--;
	errno = saved;
	return walk.seen.origin;
}
