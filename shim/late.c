/* SPDX-License-Identifier: MIT */
#include "shim/late.h"

#include <string.h>
#include <sys/prctl.h>

#include "shim/arch.h"
#include "shim/explain.h"
#include "shim/generation.h"
#include "shim/guard.h"
#include "shim/lock.h"
#include "shim/objects.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/sys.h"
#include "shim/text.h"
#include "shim/thread.h"
#include "shim/unwind.h"

#define FRAMES_MOST 32u
#define MESSAGES_MOST 48u /* told; a host may repair the fault and go on for ever */

/* What happened.  kind: as explain_addresses has them, of the dead address. */
struct late {
	uintptr_t address; /* in the image that went */
	uintptr_t pc, sp, bp;
	bool pc_exact; /* pc is the instruction; else a return address */
	uint64_t at_ns;
	uint32_t record;
	char kind;
	const char *what;
};

/* Static, since a signal stack is small; all under the lock. */
static struct {
	struct lock lock;
	void *mark[5]; /* of __builtin_setjmp: where a fault while reporting leads */
	bool marked;
	struct thread walker;
	struct {
		uint32_t record;
		uintptr_t address, caller;
	} told[MESSAGES_MOST];
	unsigned int told_count;
	unsigned int count;
	uint64_t frames[FRAMES_MOST + 1]; /* the dead address first */
	char kinds[FRAMES_MOST + 1];
	char names[8192], message[12288];
} late;

static const struct session_generation *generation_of_late(const struct late *fault)
{
	return session_record(SESSION_GENERATIONS, fault->record);
}

/* The instruction itself is written as if it were called from: one further. */
static bool frame_add(uintptr_t pc, bool exact)
{
	late.frames[late.count] = place_frame(pc + exact);
	late.kinds[late.count] = EXPLAIN_RETURN;
	return ++late.count <= FRAMES_MOST;
}

static void stack_walk(struct late *fault)
{
	struct unwind_frame frame = {
		.pc = fault->pc,
		.sp = fault->sp,
		.bp = fault->bp,
		.interrupted = fault->pc_exact,
	};

	memset(&late.walker, 0, sizeof(late.walker));
	do {
		if (!frame_add(frame.pc, frame.interrupted))
			return;
	} while (unwind_step(&late.walker, &frame) == UNWIND_STEPPED);
}

/* The same address of the same generation, come to from the same place: told before. */
static bool is_known(const struct late *fault)
{
	for (unsigned int i = 0; i < late.told_count; i++)
		if (late.told[i].record == fault->record &&
			late.told[i].address == fault->address && late.told[i].caller == fault->pc)
			return true;
	if (late.told_count < MESSAGES_MOST) {
		late.told[late.told_count].record = fault->record;
		late.told[late.told_count].address = fault->address;
		late.told[late.told_count++].caller = fault->pc;
		return false;
	}
	return true;
}

/* The first line of names, without where it stands in the source. */
static void subject_add(struct text *text, const char *names)
{
	const char *end = strchrnul(names, '\n'), *place = NULL, *in = NULL;

	for (const char *at = names; at < end; at++) {
		if (!strncmp(at, ") in ", 5))
			in = at + 1;
		if (!in && !strncmp(at, " (", 2))
			place = at;
	}
	if (in && place && place < in) {
		text_add_n(text, names, (size_t)(place - names));
		names = in;
	}
	text_add_n(text, names, (size_t)(end - names));
}

static void header_add(struct text *text, const struct late *fault)
{
	const struct session_generation *generation = generation_of_late(fault);
	uint64_t gone = generation->unloaded_ns; /* 0: it is going this very moment */
	uint64_t ago = gone && gone < fault->at_ns ? fault->at_ns - gone : 0;
	char name[17] = "";

	raw(SYS_prctl, PR_GET_NAME, name);
	text_add(text, "==relib== late ");
	text_add(text, fault->kind == EXPLAIN_DATA ? "access" : "call");
	text_add(text, ": thread ");
	text_number(text, (uint64_t)sys_gettid(), 10, 1);
	text_add(text, " (");
	text_add(text, name);
	text_add(text, ") ");
	text_add(text, fault->what);
	text_add(text, " ");
	subject_add(text, late.names);
	text_add(text, ", generation ");
	text_number(text, generation->number, 10, 1);
	text_add(text, ", unloaded ");
	text_number(text, ago / 1000000000, 10, 1);
	text_add(text, ".");
	text_number(text, ago / 1000000 % 1000, 10, 3);
	text_add(text, " s ago\n");
}

static void message_make(struct text *text, const struct late *fault)
{
	const char *line = late.names, *start = "==relib==    at  ", *end;

	header_add(text, fault);
	/* the variable has been named; the function that was called belongs to the stack */
	if (fault->kind == EXPLAIN_DATA) {
		end = strchrnul(line, '\n');
		line = *end ? end + 1 : end;
	}
	while (*line) {
		end = strchrnul(line, '\n');
		text_add(text, start);
		text_add_n(text, line, (size_t)(end - line));
		text_add(text, "\n");
		start = "==relib==    by  ";
		line = *end ? end + 1 : end;
	}
}

/* A reader that went away is no reason for a SIGPIPE, which is blocked now. */
static void message_write(const char *at, size_t size)
{
	static const struct timespec now;
	const uint64_t pipe = UINT64_C(1) << (SIGPIPE - 1);
	long written = 1;

	while (size && (written = sys_write(2, at, size)) > 0) {
		at += written;
		size -= (size_t)written;
	}
	if (written == -EPIPE)
		raw(SYS_rt_sigtimedwait, &pipe, NULL, &now, sizeof(pipe));
}

static void note_add(const struct late *fault, bool with_stack)
{
	const struct session_generation *generation = generation_of_late(fault);
	struct session_note note = {
		.kind = SESSION_NOTE_LATE_CALL,
		.object = generation->object,
		.frame = SESSION_FRAME(generation->object, fault->address - generation->base),
		.generation = fault->record,
		.thread = (uint32_t)sys_gettid(),
	};

	if (with_stack && late.count > 1) {
		note.stack = session_add_frames(late.frames + 1, late.count - 1);
		note.stack_count = note.stack ? late.count - 1 : 0;
	}
	session_note_add(&note, fault->what);
}

static void report(struct late *fault)
{
	const struct session_generation *generation = generation_of_late(fault);
	struct text text = text_in(late.message, sizeof(late.message));

	late.frames[0] = SESSION_FRAME(generation->object, fault->address - generation->base);
	late.kinds[0] = fault->kind;
	late.count = 1;
	stack_walk(fault);
	note_add(fault, true);
	explain_addresses(late.frames, late.kinds, late.count, late.names, sizeof(late.names));
	message_make(&text, fault);
	message_write(late.message, (size_t)(text.at - late.message));
}

/* Where the fault came from: a call, a return, or a use of data. */
static void fault_read(struct late *fault, const ucontext_t *context)
{
	const greg_t *registers = context->uc_mcontext.gregs;
	const uintptr_t *stack = (const uintptr_t *)registers[REG_RSP];

	fault->at_ns = session_clock();
	fault->sp = (uintptr_t)stack;
	fault->bp = (uintptr_t)registers[REG_RBP];
	fault->pc = (uintptr_t)registers[REG_RIP];
	if (fault->kind == EXPLAIN_DATA) {
		fault->pc_exact = true;
		fault->what = (registers[REG_ERR] & ARCH_FAULT_WRITE) ? "wrote" : "read";
		return;
	}
	/* a return leaves the address below the stack pointer, in the red zone */
	if (stack[-1] == fault->address) {
		fault->kind = EXPLAIN_RETURN;
		fault->what = "returned to";
	}
	fault->pc = stack[0];
	fault->sp += sizeof(*stack);
}

/* Its own function: what it may jump over must not hold a mark. */
__attribute__((noinline, noreturn)) static void report_leave(void)
{
	__builtin_longjmp(late.mark, 1);
}

__attribute__((noinline)) static void report_guarded(struct late *fault, const ucontext_t *context)
{
	if (!__builtin_setjmp(late.mark)) {
		late.marked = true;
		fault_read(fault, context);
		if (is_known(fault))
			note_add(fault, false);
		else
			report(fault);
	}
	late.marked = false;
}

/*
 * Between the unmapping and the guard the loader is at work: then the generation
 * is still alive, in an unload that is under way.  Its data may have no access
 * for other reasons, but its code can be called as long as it is mapped.
 */
static uint32_t record_find(uintptr_t address, const siginfo_t *info, bool is_data)
{
	uint32_t record = guard_find(address);
	uint16_t slot;

	if (record || (uintptr_t)info->si_addr != address ||
		(is_data && info->si_code != SEGV_MAPERR))
		return record;
	slot = generation_of(address);
	if (slot && generation_at(slot)->goes)
		return generation_at(slot)->record;
	return guard_find(address);
}

void late_fault(const siginfo_t *info, const void *context)
{
	const ucontext_t *state = context;
	struct late fault = {
		.address = (uintptr_t)state->uc_mcontext.gregs[REG_RIP],
		.kind = EXPLAIN_FUNCTION,
		.what = "called",
	};

	if (lock_is_mine(&late.lock) && late.marked)
		report_leave();
	fault.record = record_find(fault.address, info, false);
	if (!fault.record && (info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR)) {
		fault.address = (uintptr_t)info->si_addr;
		fault.kind = EXPLAIN_DATA;
		fault.record = record_find(fault.address, info, true);
	}
	if (!fault.record || !lock_take(&late.lock))
		return;
	thread_self.inside++;
	places_settle();
	report_guarded(&fault, state);
	thread_self.inside--;
	lock_give(&late.lock);
}

void late_fork_child(void)
{
	late.lock.owner = 0;
	late.marked = false;
}
