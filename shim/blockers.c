/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "shim/blockers.h"
#include "shim/generation.h"
#include "shim/leave.h"
#include "shim/lock.h"
#include "shim/objects.h"
#include "shim/quiet.h"
#include "shim/session.h"
#include "shim/sys.h"
#include "shim/thread-locals.h"
#include "shim/thread.h"
#include "shim/threads.h"
#include "shim/unwind.h"

#define DEPTH_MOST 100000u		/* frames: more is an error */
#define STACK_MOST ((uintptr_t)1 << 30) /* from the stack pointer to the thread's descriptor */
#define CALL_MOST 7u			/* bytes of a call instruction */

struct search {
	struct blockers *blockers;
	const struct world_caller *caller;
};

static uint16_t going_at(const struct blockers *blockers, uintptr_t pc)
{
	const struct object *object = object_of(pc);

	return object && object->generation &&
			       generation_at(object->generation)->goes == blockers->number
		       ? object->generation
		       : 0;
}

/* A word that looks like a return address has a call before it. */
static bool is_after_call(uintptr_t pc)
{
	const unsigned char *at = (const unsigned char *)pc;

	if (!object_of(pc - CALL_MOST))
		return false;
	if (at[-5] == 0xe8)
		return true;
	/* call through a register or memory: ff /2, two to seven bytes */
	for (unsigned int length = 2; length <= CALL_MOST; length++)
		if (at[-(int)length] == 0xff && (at[1 - (int)length] & 0x38) == 0x10)
			return true;
	return false;
}

/* The walk ended early: any word further up may be a return address. */
static void stack_scan(struct blockers *blockers, struct blocker *blocker, struct thread *walker,
	uintptr_t from, uintptr_t tp)
{
	uintptr_t end = tp > from && tp - from < STACK_MOST ? tp : UINTPTR_MAX;
	uintptr_t at = (from + 7) & ~(uintptr_t)7;

	walker->stack_low = walker->stack_high = 0;
	for (; at < end && stack_readable_slow(walker, at, at); at += sizeof(uintptr_t)) {
		uintptr_t word = leave_resolve(*(const uintptr_t *)at);
		uint16_t inside = going_at(blockers, word);

		if (!inside || !is_after_call(word))
			continue;
		blocker->inside = inside;
		blocker->module_frame = blocker->frame_count;
		if (blocker->frame_count < BLOCKER_FRAMES)
			blocker->frames[blocker->frame_count++] = word;
		return;
	}
}

/* Follows the stack; slot: where the outermost function in what goes returns to others. */
static void stack_follow(struct blockers *blockers, struct blocker *blocker,
	struct unwind_frame frame, uintptr_t tp, uintptr_t *slot)
{
	struct thread walker = {.inside = 1};
	bool interrupted = false;

	for (unsigned int depth = 0; depth < DEPTH_MOST; depth++) {
		uint16_t inside = going_at(blockers, frame.interrupted ? frame.pc : frame.pc - 1);
		enum unwind_step step;

		if (blocker->frame_count < BLOCKER_FRAMES)
			blocker->frames[blocker->frame_count++] = frame.pc;
		if (inside && !blocker->inside) {
			blocker->inside = inside;
			blocker->module_frame = depth;
		}
		/* to unload in the middle of a signal handler would not do */
		interrupted |= frame.interrupted && depth;
		step = unwind_step(&walker, &frame);
		if (step == UNWIND_CUT) {
			blocker->cut = true;
			if (!blocker->inside)
				stack_scan(blockers, blocker, &walker, frame.sp, tp);
			*slot = 0;
			return;
		}
		if (step != UNWIND_STEPPED)
			break;
		if (inside)
			*slot = frame.pc_slot;
	}
	if (interrupted)
		*slot = 0;
}

static void blocker_add(struct blockers *blockers, const struct blocker *blocker)
{
	if (blockers->count < BLOCKERS_MOST)
		blockers->list[blockers->count] = *blocker;
	blockers->count++;
	if (!blocker->owner || blocker->calling)
		blockers->foreign++;
}

static void owner_find(const struct blockers *blockers, struct blocker *blocker)
{
	uint16_t owner = 0;
	uint32_t record = threads_owned(blocker->tid, &owner);

	if (!record || !owner || generation_at(owner)->goes != blockers->number)
		return;
	blocker->record = record;
	blocker->owner = owner;
}

/* About to enter a destructor of what goes, or just back from it. */
static uint16_t going_running(const struct blockers *blockers, pid_t tid)
{
	for (uint32_t slot = 1; slot < generation_limit(); slot++) {
		const struct generation *generation = generation_at((uint16_t)slot);

		if (generation->state == GENERATION_ALIVE && generation->goes == blockers->number &&
			thread_locals_running((uint16_t)slot, tid))
			return (uint16_t)slot;
	}
	return 0;
}

static void thread_examine(struct search *search, const struct world_thread *thread, bool calling)
{
	const struct world_caller *caller = search->caller;
	struct blocker blocker = {.tid = thread->tid, .calling = calling};
	struct unwind_frame frame = {.interrupted = true};
	uintptr_t slot = 0;

	if (calling) {
		/* right after the return from dlclose, or where a signal came */
		frame.interrupted = caller->pc != 0;
		frame.pc = caller->pc ? caller->pc
				      : leave_resolve(((const uintptr_t *)caller->sp)[-1]);
		frame.sp = caller->sp;
		frame.bp = caller->saved[1];
	} else {
		frame.pc = thread->registers[ARCH_RIP];
		frame.sp = thread->sp;
		frame.bp = thread->registers[ARCH_RBP];
	}
	owner_find(search->blockers, &blocker);
	blocker.module_frame = UINT32_MAX;
	stack_follow(search->blockers, &blocker, frame, thread->tp, &slot);
	if (blocker.module_frame > blocker.frame_count)
		blocker.module_frame = blocker.frame_count;
	if (!blocker.inside)
		blocker.inside = going_running(search->blockers, blocker.tid);
	/*
	 * A module's thread in code of others may close it; but one that has only
	 * left it is not over, and at its end it is nobody's.
	 */
	if (!blocker.inside && (!blocker.owner || (calling && !search->blockers->deferred)))
		return;
	if (search->blockers->watch && slot)
		leave_watch(slot);
	blocker_add(search->blockers, &blocker);
}

static void starting_visit(uint32_t record, uint16_t generation, void *data)
{
	struct blockers *blockers = data;
	const struct session_thread *thread = session_record(SESSION_THREADS, record);
	struct blocker blocker = {.record = record, .owner = generation};

	if (generation_at(generation)->goes == blockers->number &&
		thread->state == SESSION_THREAD_STARTING)
		blocker_add(blockers, &blocker);
}

static void owned_visit(uint32_t record, uint16_t generation, void *data)
{
	struct blockers *blockers = data;
	const struct session_thread *thread = session_record(SESSION_THREADS, record);
	struct blocker blocker = {.record = record, .owner = generation, .tid = thread->tid};

	if (generation_at(generation)->goes == blockers->number &&
		thread->tid != (pid_t)lock_self())
		blocker_add(blockers, &blocker);
}

static bool slot_is_readable(void *data, uintptr_t slot)
{
	struct thread *walker = data;

	walker->stack_low = walker->stack_high = 0;
	return stack_readable_slow(walker, slot, slot);
}

static void locals_drop(uint32_t number, pid_t tid)
{
	for (uint32_t slot = 1; slot < generation_limit(); slot++) {
		struct generation *generation = generation_at((uint16_t)slot);
		struct session_generation *record;

		if (generation->state != GENERATION_ALIVE || generation->goes != number)
			continue;
		record = session_record(SESSION_GENERATIONS, generation->record);
		record->locals_dropped += thread_locals_drop((uint16_t)slot, tid);
	}
}

static void blockers_look(const struct world *world, void *data)
{
	struct thread walker = {.inside = 1};
	struct search *search = data;
	struct blockers *blockers = search->blockers;

	leave_forget(slot_is_readable, &walker);
	for (size_t i = 0; i < world->thread_count; i++)
		thread_examine(search, &world->threads[i], i == 0);
	threads_each_going(starting_visit, blockers);
	if (!blockers->count && blockers->drop_locals)
		locals_drop(blockers->number, world->threads[0].tid);
}

static bool is_going(void *data, uintptr_t address)
{
	return going_at(data, address) != 0;
}

struct any {
	uint32_t number;
	bool some;
};

static void any_visit(uint32_t record, uint16_t generation, void *data)
{
	struct any *any = data;

	if (generation_at(generation)->goes == any->number)
		any->some = true;
}

/*
 * True when it could be told without stopping anybody that nobody but the
 * calling thread is in the way, which was examined.
 */
static bool others_are_quiet(struct blockers *blockers)
{
	struct any owned = {.number = blockers->number};

	if (blockers->count)
		return false;
	threads_each_going(any_visit, &owned);
	if (owned.some || !quiet_others(is_going, blockers))
		return false;
	if (blockers->drop_locals)
		locals_drop(blockers->number, (pid_t)lock_self());
	return true;
}

/* Each thread is a folder there. */
static bool is_alone(void)
{
	struct stat status;

	return !sys_call6(
		       SYS_newfstatat, AT_FDCWD, (long)"/proc/self/task", (long)&status, 0, 0, 0) &&
	       status.st_nlink == 3;
}

void blockers_find(struct blockers *blockers, const struct world_caller *caller)
{
	struct search search = {.blockers = blockers, .caller = caller};
	struct world_thread here = {.tid = (pid_t)lock_self(), .sp = caller->sp};
	struct world alone = {.threads = &here, .thread_count = 1};
	struct world_result result = {0};

	blockers->count = blockers->foreign = 0;
	thread_self.inside++;
	if (is_alone()) {
		here.tp = arch_thread_pointer();
		blockers_look(&alone, &search);
		thread_self.inside--;
		return;
	}
	thread_examine(&search, &here, true);
	if (others_are_quiet(blockers)) {
		thread_self.inside--;
		return;
	}
	blockers->count = blockers->foreign = 0;
	if (!world_stop(caller, blockers_look, &search, &result)) {
		blockers->count = blockers->foreign = 0;
		thread_examine(&search, &here, true);
		threads_each_going(owned_visit, blockers);
		if (!blockers->count && blockers->drop_locals)
			locals_drop(blockers->number, here.tid);
	}
	blockers->stopped_ns = result.stopped_ns;
	thread_self.inside--;
}
