/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/arch.h"
#include "shim/callstacks.h"
#include "shim/leave.h"
#include "shim/objects.h"
#include "shim/sys.h"
#include "shim/thread.h"
#include "shim/unwind-cfi.h"
#include "shim/unwind.h"

#define PAGE ((uintptr_t)4096)
#define FRAME_MOST ((uintptr_t)64 << 20) /* a larger frame is taken for an error */
#define EXPRESSION_MOST 8		 /* depth of an expression's stack */

/*
 * The kernel reads the word for us, and refuses the call either way: EINVAL
 * when it could read it, EFAULT when not.  Filters of system calls let it pass.
 */
static bool page_readable(uintptr_t page)
{
	long result;

	/* what stands there does not matter, valgrind need not complain that nothing does */
	arch_valgrind_quiet(true);
	result = sys_call6(SYS_rt_sigprocmask, ~0L, (long)page, 0, 8, 0, 0);
	arch_valgrind_quiet(false);
	return result != -14 /* EFAULT */;
}

bool stack_readable_slow(struct thread *thread, uintptr_t sp, uintptr_t address)
{
	if (address < sp || address - sp > FRAME_MOST)
		return false;
	/* another stack than last time, or the first look at it: sp's own page is there */
	if (sp < thread->stack_low || sp >= thread->stack_high) {
		thread->stack_low = sp & ~(PAGE - 1);
		thread->stack_high = thread->stack_low + PAGE;
	}
	while (address >= thread->stack_high) {
		if (!page_readable(thread->stack_high))
			return false;
		thread->stack_high += PAGE;
	}
	return true;
}

static bool stack_read(struct thread *thread, uintptr_t sp, uintptr_t address, uintptr_t *word)
{
	if (address & 7)
		return false;
	if ((sp < thread->stack_low || address >= thread->stack_high || address < sp) &&
		!stack_readable_slow(thread, sp, address))
		return false;
	*word = *(const uintptr_t *)address;
	return true;
}

static struct unwind_rule rule_of_row(const struct cfi_row *row)
{
	static const struct unwind_rule none = {.base = UNWIND_NONE};
	const struct cfi_rule *bp = &row->rule[CFI_BP], *ra = &row->rule[CFI_RA];
	struct unwind_rule rule = {.base = UNWIND_SPECIAL};

	if (ra->how == CFI_UNDEFINED)
		return (struct unwind_rule){.base = UNWIND_END};
	if (row->signal_frame || row->cfa_register == ~0u || ra->how == CFI_AT_EXPRESSION ||
		bp->how == CFI_AT_EXPRESSION)
		return rule;
	if (ra->how != CFI_AT || ra->offset != -8 || row->cfa_offset != (int32_t)row->cfa_offset)
		return none;
	if (row->cfa_register != 7 && row->cfa_register != 6)
		return none;
	rule.base = row->cfa_register == 7 ? UNWIND_SP : UNWIND_BP;
	rule.offset = (int32_t)row->cfa_offset;
	switch (bp->how) {
	case CFI_SAME:
	case CFI_UNDEFINED:
		break;
	case CFI_AT:
		if (bp->offset % 8 || bp->offset >= 0 ||
			bp->offset / 8 != (int16_t)(bp->offset / 8))
			return none;
		rule.bp_offset = (int16_t)(bp->offset / 8);
		break;
	default:
		return none;
	}
	return rule;
}

static bool row_of(uintptr_t pc, struct cfi_row *row)
{
	const struct object *object = object_of(pc);

	return object && object->unwind &&
	       cfi_row_find(object->unwind, pc, object->start, object->end, row);
}

struct unwind_rule unwind_rule_find(uintptr_t pc)
{
	struct cfi_row row;

	if (!row_of(pc, &row))
		return (struct unwind_rule){.base = UNWIND_NONE};
	return rule_of_row(&row);
}

/* A word from anywhere on the stack, given bases at or above sp. */
static bool expression_run(struct thread *thread, const struct unwind_frame *frame,
	const unsigned char *at, const unsigned char *end, uintptr_t start, bool has_start,
	uintptr_t *result)
{
	uintptr_t stack[EXPRESSION_MOST] = {start};
	unsigned int depth = has_start;

	while (at < end) {
		unsigned char op = *at++;

		if (op >= 0x70 && op <= 0x8f) { /* breg */
			int64_t offset = 0;
			unsigned int shift = 0;
			unsigned char byte = 0x80;

			while ((byte & 0x80) && at < end && shift < 63) {
				byte = *at++;
				offset |= (int64_t)(byte & 0x7f) << shift;
				shift += 7;
			}
			if (byte & 0x40)
				offset |= -((int64_t)1 << shift);
			if (depth == EXPRESSION_MOST || (op != 0x77 && op != 0x76 && op != 0x80))
				return false;
			stack[depth++] = (op == 0x77	      ? frame->sp
						 : op == 0x76 ? frame->bp
							      : frame->pc) +
					 (uintptr_t)offset;
		} else if (op >= 0x30 && op <= 0x4f) { /* lit */
			if (depth == EXPRESSION_MOST)
				return false;
			stack[depth++] = op - 0x30u;
		} else if (op == 0x06) { /* deref */
			if (!depth ||
				!stack_read(thread, frame->sp, stack[depth - 1], &stack[depth - 1]))
				return false;
		} else if (op == 0x1a || op == 0x22 || op == 0x24 || op == 0x2a) {
			uintptr_t top;

			if (depth < 2)
				return false;
			top = stack[--depth];
			stack[depth - 1] =
				op == 0x1a   ? stack[depth - 1] & top
				: op == 0x22 ? stack[depth - 1] + top
				: op == 0x24
					? stack[depth - 1] << (top & 63)
					: (uintptr_t)((intptr_t)stack[depth - 1] >= (intptr_t)top);
		} else {
			return false;
		}
	}
	*result = depth ? stack[depth - 1] : 0;
	return depth != 0;
}

static bool rule_value(struct thread *thread, const struct unwind_frame *frame,
	const struct cfi_rule *rule, uintptr_t cfa, uintptr_t *slot, uintptr_t *value)
{
	switch (rule->how) {
	case CFI_AT:
		*slot = cfa + (uintptr_t)rule->offset;
		break;
	case CFI_AT_EXPRESSION:
		if (!expression_run(
			    thread, frame, rule->expression, rule->expression_end, cfa, true, slot))
			return false;
		break;
	default:
		return rule->how == CFI_SAME;
	}
	return stack_read(thread, frame->sp, *slot, value);
}

bool unwind_step_special(struct thread *thread, struct unwind_frame *frame)
{
	uintptr_t cfa, slot = 0, pc = 0, bp = frame->bp, sp;
	struct cfi_row row;

	if (!row_of(frame->interrupted ? frame->pc : frame->pc - 1, &row))
		return false;
	if (row.cfa_register == ~0u) {
		if (!expression_run(
			    thread, frame, row.expression, row.expression_end, 0, false, &cfa))
			return false;
	} else if (row.cfa_register == 6 || row.cfa_register == 7) {
		cfa = (row.cfa_register == 7 ? frame->sp : frame->bp) + (uintptr_t)row.cfa_offset;
	} else {
		return false;
	}
	if (!rule_value(thread, frame, &row.rule[CFI_RA], cfa, &slot, &pc) || !pc ||
		!rule_value(thread, frame, &row.rule[CFI_BP], cfa, &frame->bp_slot, &bp))
		return false;
	sp = cfa;
	if (row.rule[CFI_SP].how != CFI_SAME) {
		uintptr_t sp_slot;

		if (!rule_value(thread, frame, &row.rule[CFI_SP], cfa, &sp_slot, &sp))
			return false;
	}
	/* only a signal's handler may have a stack of its own, anywhere */
	if (sp <= frame->sp && !row.signal_frame)
		return false;
	frame->pc = leave_resolve(pc);
	frame->pc_slot = slot;
	frame->sp = sp;
	frame->bp = bp;
	frame->interrupted = row.signal_frame;
	frame->special = true;
	return true;
}

enum unwind_step unwind_step(struct thread *thread, struct unwind_frame *frame)
{
	struct unwind_rule rule =
		callstacks_rule(thread, frame->interrupted ? frame->pc : frame->pc - 1);
	uintptr_t cfa, pc;

	frame->used_bp = frame->special = false;
	switch (rule.base) {
	case UNWIND_SP:
		cfa = frame->sp + (uintptr_t)(intptr_t)rule.offset;
		break;
	case UNWIND_BP:
		cfa = frame->bp + (uintptr_t)(intptr_t)rule.offset;
		frame->used_bp = true;
		break;
	case UNWIND_SPECIAL:
		return unwind_step_special(thread, frame) ? UNWIND_STEPPED : UNWIND_CUT;
	case UNWIND_END:
		return UNWIND_AT_END;
	default:
		return UNWIND_CUT;
	}
	/* a return address of 0 ends a thread's stack */
	if (cfa <= frame->sp || !stack_read(thread, frame->sp, cfa - 8, &pc))
		return UNWIND_CUT;
	if (!pc)
		return UNWIND_AT_END;
	pc = leave_resolve(pc);
	frame->pc_slot = cfa - 8;
	if (rule.bp_offset) {
		uintptr_t slot = cfa + (uintptr_t)((intptr_t)rule.bp_offset * 8);

		if (!stack_read(thread, frame->sp, slot, &frame->bp))
			return UNWIND_CUT;
		/* once used, the slots before are all that counts */
		frame->bp_slot = slot;
	}
	frame->pc = pc;
	frame->sp = cfa;
	frame->interrupted = false;
	return UNWIND_STEPPED;
}

void unwind_walk(struct thread *thread, uintptr_t pc, uintptr_t sp, uintptr_t bp,
	bool (*visit)(void *data, uintptr_t pc, uintptr_t cfa), void *data)
{
	struct unwind_frame frame = {.pc = pc, .sp = sp, .bp = bp};
	uintptr_t at;

	do {
		at = frame.pc;
		if (unwind_step(thread, &frame) != UNWIND_STEPPED)
			return;
	} while (visit(data, at, frame.sp));
}
