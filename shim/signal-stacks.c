/* SPDX-License-Identifier: MIT */
#include "shim/signal-stacks.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/guard.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/lock.h"
#include "shim/mappings.h"
#include "shim/next.h"
#include "shim/sys.h"

#define PAGE ((uintptr_t)4096)

struct signal_stack {
	struct signal_stack *next; /* all there ever were: used again, never freed */
	_Atomic uint32_t tid;	   /* written last; 0: not in use */
	int pid;
	uintptr_t start;
	size_t size;
	uint32_t balance; /* 0: the host set it, in a module's memory */
	uint32_t leftover;
	bool over; /* its thread is about to end, or has ended */
	bool kept; /* its memory is ours by now */
};

static _Atomic(struct signal_stack *) stacks;
static _Atomic uint32_t used;
static struct lock stacks_lock; /* to take one that is not in use */

static struct signal_stack *stack_of(uint32_t tid)
{
	struct signal_stack *stack = atomic_load(&used) ? atomic_load(&stacks) : NULL;

	while (stack && (atomic_load(&stack->tid) != tid || stack->over))
		stack = stack->next;
	return stack;
}

/* Where the kernel does not say, as a filter of system calls may forbid it, it lives. */
static bool is_living(const struct signal_stack *stack, uint32_t tid)
{
	return sys_call(SYS_tgkill, stack->pid, tid, 0) != -ESRCH;
}

static uintptr_t first_page(const struct signal_stack *stack)
{
	return stack->start & ~(PAGE - 1);
}

static uintptr_t end_page(const struct signal_stack *stack)
{
	return (stack->start + stack->size + PAGE - 1) & ~(PAGE - 1);
}

static void stack_drop(struct signal_stack *stack)
{
	void *start = (void *)first_page(stack);
	size_t size = end_page(stack) - first_page(stack);

	if (stack->kept && guard_find(stack->start)) {
		sys_advise(start, size, MADV_DONTNEED);
		sys_protect(start, size, PROT_NONE);
	} else if (stack->kept) {
		sys_unmap(start, size);
	}
	stack->kept = false;
	atomic_fetch_sub(&used, 1);
	/* it may be another's from here on */
	atomic_store(&stack->tid, 0);
}

static void stack_give_back(struct signal_stack *stack)
{
	if (stack->balance) {
		balance_give_back(stack->balance, 1, stack->size);
		leftover_state(stack->leftover, SESSION_GIVEN_BACK);
	}
	stack_drop(stack);
}

/* Under the lock. */
static struct signal_stack *stack_free(void)
{
	struct signal_stack *stack = atomic_load(&stacks);
	uint32_t tid;

	for (; stack; stack = stack->next) {
		tid = atomic_load(&stack->tid);
		if (tid && stack->over && !is_living(stack, tid))
			stack_drop(stack);
		if (!atomic_load(&stack->tid))
			return stack;
	}
	stack = arena_take(sizeof(*stack));
	if (stack) {
		stack->next = atomic_load(&stacks);
		atomic_store(&stacks, stack);
	}
	return stack;
}

static void stack_add(const stack_t *set, struct origin origin)
{
	struct signal_stack *stack;

	if (!lock_take(&stacks_lock))
		return;
	stack = stack_free();
	if (stack) {
		stack->pid = (int)sys_call(SYS_getpid, 0, 0, 0);
		stack->start = (uintptr_t)set->ss_sp;
		stack->size = set->ss_size;
		stack->over = false;
		stack->leftover = 0;
		stack->balance = balance_acquire(origin, SESSION_SIGNAL_STACK, set->ss_size);
		atomic_fetch_add(&used, 1);
		atomic_store(&stack->tid, lock_self());
	}
	lock_give(&stacks_lock);
}

static bool is_modules(const stack_t *set)
{
	return heap_owns(set->ss_sp) || mappings_touch((uintptr_t)set->ss_sp, set->ss_size) ||
	       (__atomic_load_n(&generation_alive, __ATOMIC_RELAXED) &&
		       generation_of((uintptr_t)set->ss_sp));
}

RELIB_EXPORT int sigaltstack(const stack_t *set, stack_t *old)
{
	struct signal_stack *before;
	struct origin origin;
	int result;

	if (!next_ready() || !next.sigaltstack) {
		errno = ENOSYS;
		return -1;
	}
	result = next.sigaltstack(set, old);
	if (result || !set || thread_self.vforked)
		return result;
	before = stack_of(lock_self());
	if (before)
		stack_give_back(before);
	if (set->ss_flags & SS_DISABLE)
		return result;
	origin = CALL_ORIGIN();
	if (origin.place || is_modules(set))
		stack_add(set, origin);
	return result;
}

void signal_stacks_thread_over(void)
{
	struct signal_stack *stack = stack_of(lock_self());

	if (!stack)
		return;
	if (stack->balance) {
		balance_give_back(stack->balance, 1, stack->size);
		leftover_state(stack->leftover, SESSION_GIVEN_BACK);
		stack->balance = 0;
	}
	/* until it has ended a signal may still arrive */
	stack->over = true;
}

void signal_stacks_each(void (*visit)(uintptr_t address, int tid))
{
	const struct signal_stack *stack = atomic_load(&used) ? atomic_load(&stacks) : NULL;

	for (; stack; stack = stack->next) {
		uint32_t tid = atomic_load(&stack->tid);

		if (tid && is_living(stack, tid))
			visit(stack->start, (int)tid);
	}
}

/* Somebody else may have mapped something there already. */
static bool pages_map(uintptr_t start, size_t size)
{
	long got = sys_call6(SYS_mmap, start, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got > 0 && got != (long)start)
		sys_unmap((void *)got, size);
	return got == (long)start;
}

void signal_stacks_keep(uintptr_t start, uintptr_t end)
{
	struct signal_stack *stack = atomic_load(&used) ? atomic_load(&stacks) : NULL;

	for (; stack; stack = stack->next) {
		uint32_t tid = atomic_load(&stack->tid);
		size_t size = end_page(stack) - first_page(stack);

		if (!tid || stack->start - start >= end - start)
			continue;
		/* what was ours of one whose thread has ended is somebody else's by now */
		if (!is_living(stack, tid))
			stack->kept = false;
		else if (guard_find(stack->start))
			stack->kept = !sys_protect(
				(void *)first_page(stack), size, PROT_READ | PROT_WRITE);
		else
			stack->kept = pages_map(first_page(stack), size);
	}
}

static bool is_in(const struct generation *generation, uintptr_t address)
{
	return address - generation->start < generation->end - generation->start;
}

static bool is_of(const struct signal_stack *stack, const struct generation *generation)
{
	return stack->balance && balance_at(stack->balance)->generation == generation->record;
}

static uint32_t left_add(struct signal_stack *stack, uint32_t state, const char *why)
{
	const struct session_leftover like = {
		.balance = stack->balance,
		.state = state,
		.number = stack->start,
		.bytes = stack->size,
	};

	return stack->balance ? leftover_add(&like, NULL, why) : 0;
}

/* The calling thread's. */
static void own_take_back(const struct generation *going)
{
	const stack_t none = {.ss_flags = SS_DISABLE};
	struct signal_stack *own = stack_of(lock_self());
	stack_t now;

	if (sys_call(SYS_sigaltstack, NULL, &now, 0) || now.ss_flags & SS_DISABLE)
		return;
	if (!is_in(going, (uintptr_t)now.ss_sp) &&
		!(own && is_of(own, going) && own->start == (uintptr_t)now.ss_sp))
		return;
	if (sys_call(SYS_sigaltstack, &none, NULL, 0)) {
		if (own && !own->leftover)
			own->leftover = left_add(own, SESSION_LEFT,
				"it is in use: the module was closed by a signal's handler");
		return;
	}
	if (!own)
		return;
	left_add(own, SESSION_TAKEN_BACK, NULL);
	stack_drop(own);
}

static void other_settle(struct signal_stack *stack, uint32_t tid, const struct generation *going)
{
	if (stack->over)
		return;
	if (!is_living(stack, tid)) {
		if (stack->balance)
			balance_give_back_before(stack->balance, 1, stack->size);
		stack_drop(stack);
		return;
	}
	if (is_of(stack, going) && !stack->leftover)
		stack->leftover = left_add(
			stack, SESSION_LEFT, "only the thread whose stack it is can change it");
}

void signal_stacks_take_back(uint16_t generation)
{
	const struct generation *going = generation_at(generation);
	struct signal_stack *stack = atomic_load(&stacks);
	uint32_t tid;

	own_take_back(going);
	for (; stack; stack = stack->next) {
		tid = atomic_load(&stack->tid);
		if (tid && tid != lock_self())
			other_settle(stack, tid, going);
	}
}

void signal_stacks_fork_child(void)
{
	stacks_lock.owner = 0;
}

/* The child has the caller's stack, and no other thread; ids are new. */
void signal_stacks_fork_settle(void)
{
	struct signal_stack *stack = atomic_load(&used) ? atomic_load(&stacks) : NULL;
	int pid = (int)sys_call(SYS_getpid, 0, 0, 0);
	uint32_t tid;

	for (; stack; stack = stack->next) {
		tid = atomic_load(&stack->tid);
		if (tid && tid == (uint32_t)thread_self.forker && !stack->over) {
			stack->pid = pid;
			atomic_store(&stack->tid, lock_self());
		} else if (tid) {
			stack_give_back(stack);
		}
	}
}
