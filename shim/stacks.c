/* SPDX-License-Identifier: MIT */
#include "shim/stacks.h"

#include "shim/arch.h"
#include "shim/fault.h"

#define PAGE 4096u
#define STACK_LEAST 16384u /* PTHREAD_STACK_MIN */
#define STACK_MOST (1ul << 40)

size_t stacks_size(const struct world *world)
{
	return (world->thread_count + 1) * sizeof(struct stack);
}

/*
 * Looks through struct pthread, whose layout differs between versions, for its
 * fields stackblock and stackblock_size: two words one after the other that
 * describe a range which holds both the stack pointer and, at its very top,
 * the descriptor itself.  Nothing else there looks like that.
 */
static void stack_find(struct stack *stack)
{
	const uintptr_t *word = (const uintptr_t *)stack->thread;
	const uintptr_t *last = (const uintptr_t *)stack->thread_end - 1;
	struct fault_guard guard;

	if (!stack->thread || stack->thread % sizeof(uintptr_t))
		return;
	/* A thread that libc did not make: its thread pointer may be anything. */
	if (fault_caught(&guard))
		return;
	for (; word < last; word++) {
		const uintptr_t low = word[0], size = word[1];

		if (size < STACK_LEAST || size > STACK_MOST || low % sizeof(uintptr_t))
			continue;
		if (low >= stack->thread || stack->thread - low >= size)
			continue;
		if (size - (stack->thread - low) > ARCH_THREAD_ABOVE + 2 * PAGE)
			continue;
		stack->low = low;
		stack->high = low + size;
		if (stack->thread_end > stack->high)
			stack->thread_end = stack->high;
		break;
	}
	fault_leave(&guard);
}

bool stacks_of_thread(uintptr_t descriptor, struct scan_range *range)
{
	struct stack stack = {
		.thread = descriptor,
		.thread_end = descriptor + ARCH_THREAD_ABOVE,
	};

	stack_find(&stack);
	*range = (struct scan_range){stack.low, stack.high};
	return stack.low < stack.high;
}

/* The lowest stack pointer that lies in it tells what is in use; with none all of it is. */
static void stack_measure(struct stack *stack, const struct world *world)
{
	size_t i;

	stack->live = stack->high;
	for (i = 0; i < world->thread_count; i++) {
		const uintptr_t sp = world->threads[i].sp;
		/* The caller's is that of a function, which leaves no red zone. */
		const uintptr_t live = i ? sp - ARCH_RED_ZONE : sp;

		if (sp < stack->low || sp >= stack->high || live >= stack->live)
			continue;
		stack->live = live < stack->low ? stack->low : live;
		stack->sp = sp;
		if (!stack->tid)
			stack->tid = world->threads[i].tid;
	}
	if (stack->live == stack->high)
		stack->live = stack->low;
}

size_t stacks_static_tls;

void stacks_find(struct stacks *stacks, const struct world *world, void *room)
{
	size_t i;

	stacks->world = world;
	stacks->stacks = room;
	stacks->count = world->thread_count;
	for (i = 0; i < stacks->count; i++) {
		struct stack *stack = &stacks->stacks[i];

		stack->low = stack->high = stack->live = 0;
		stack->tid = world->threads[i].tid;
		stack->sp = world->threads[i].sp;
		stack->thread = world->threads[i].tp - ARCH_THREAD_BELOW;
		stack->thread_end = world->threads[i].tp + ARCH_THREAD_ABOVE;
		if (!world->threads[i].tp)
			stack->thread_end = 0;
		stack_find(stack);
		stack_measure(stack, world);
		/* its static thread-locals lie right below the descriptor */
		if (stack->thread_end && stack->thread > stacks_static_tls)
			stack->thread -= stacks_static_tls;
		if (stack->high && stack->thread < stack->live)
			stack->thread = stack->live;
	}
}

void stacks_add_main(struct stacks *stacks, uintptr_t low, uintptr_t high)
{
	struct stack *stack = &stacks->stacks[stacks->world->thread_count];

	*stack = (struct stack){.low = low, .high = high};
	stack_measure(stack, stacks->world);
	stacks->count = stacks->world->thread_count + 1;
}

/* Shortens *end to at when at lies between start and *end. */
static void shorten(uintptr_t *end, uintptr_t start, uintptr_t at)
{
	if (at > start && at < *end)
		*end = at;
}

uintptr_t stacks_part(const struct stacks *stacks, uintptr_t start, uintptr_t end,
	struct scan_place *place, bool *dead)
{
	const struct stack *in_use = NULL, *thread = NULL;
	size_t i;

	*dead = false;
	for (i = 0; i < stacks->count; i++) {
		const struct stack *stack = &stacks->stacks[i];

		shorten(&end, start, stack->low);
		shorten(&end, start, stack->live);
		shorten(&end, start, stack->high);
		shorten(&end, start, stack->thread);
		shorten(&end, start, stack->thread_end);
		if (start >= stack->thread && start < stack->thread_end)
			thread = stack;
		else if (start >= stack->live && start < stack->high)
			in_use = stack;
		else if (start >= stack->low && start < stack->live)
			*dead = true;
	}
	if (!thread && !in_use)
		return end;
	*dead = false;
	place->kind = thread ? SCAN_THREAD : SCAN_STACK;
	place->tid = thread ? thread->tid : in_use->tid;
	place->sp = thread ? thread->sp : in_use->sp;
	return end;
}
