/* SPDX-License-Identifier: MIT */
#include "shim/stacks.h"

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/sorted.h"

#define PAGE 4096u
#define STACK_LEAST 16384u /* PTHREAD_STACK_MIN */
#define STACK_MOST (1ul << 40)

size_t stacks_size(const struct world *world)
{
	return (world->thread_count + 1) * sizeof(struct stack) +
	       2 * world->thread_count * sizeof(struct stacks_order);
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

/* By start; few are out of order, as the C library maps stacks one below the other. */
static void order_sort(struct stacks_order *order, size_t count)
{
	uintptr_t reach = 0;

	SORT(order, count, .start);
	for (size_t i = 0; i < count; i++) {
		if (order[i].reach > reach)
			reach = order[i].reach;
		order[i].reach = reach;
	}
}

/* How many begin at the address or below. */
static size_t order_count(const struct stacks_order *order, size_t count, uintptr_t address)
{
	return SORTED_COUNT(count, i, order[i].start <= address);
}

/* The lowest stack pointer that lies in it tells what is in use; with none all of it is. */
static void stack_measure(struct stack *stack, const struct world *world, size_t i)
{
	const uintptr_t sp = world->threads[i].sp;
	/* The caller's is that of a function, which leaves no red zone. */
	const uintptr_t live = i ? sp - ARCH_RED_ZONE : sp;

	if (sp < stack->low || sp >= stack->high || live >= stack->live)
		return;
	stack->live = live < stack->low ? stack->low : live;
	stack->sp = sp;
	if (!stack->tid)
		stack->tid = world->threads[i].tid;
}

static void stacks_measure(struct stacks *stacks)
{
	const size_t count = stacks->count;

	for (size_t i = 0; i < count; i++) {
		stacks->stacks[i].live = stacks->stacks[i].high;
		stacks->by_low[i] = (struct stacks_order){
			stacks->stacks[i].low, stacks->stacks[i].high, &stacks->stacks[i]};
	}
	order_sort(stacks->by_low, count);
	for (size_t i = 0; i < count; i++) {
		const uintptr_t sp = stacks->world->threads[i].sp;

		for (size_t at = order_count(stacks->by_low, count, sp);
			at && stacks->by_low[at - 1].reach > sp; at--)
			stack_measure(stacks->by_low[at - 1].stack, stacks->world, i);
	}
	for (size_t i = 0; i < count; i++)
		if (stacks->stacks[i].live == stacks->stacks[i].high)
			stacks->stacks[i].live = stacks->stacks[i].low;
}

size_t stacks_static_tls;

void stacks_find(struct stacks *stacks, const struct world *world, void *room)
{
	size_t i;

	stacks->world = world;
	stacks->stacks = room;
	stacks->count = world->thread_count;
	stacks->by_low = (struct stacks_order *)(stacks->stacks + stacks->count + 1);
	stacks->by_thread = stacks->by_low + stacks->count;
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
	}
	stacks_measure(stacks);
	for (i = 0; i < stacks->count; i++) {
		struct stack *stack = &stacks->stacks[i];

		/* its static thread-locals lie right below the descriptor */
		if (stack->thread_end && stack->thread > stacks_static_tls)
			stack->thread -= stacks_static_tls;
		if (stack->high && stack->thread < stack->live)
			stack->thread = stack->live;
		stacks->by_thread[i] =
			(struct stacks_order){stack->thread, stack->thread_end, stack};
	}
	order_sort(stacks->by_thread, stacks->count);
}

void stacks_add_main(struct stacks *stacks, uintptr_t low, uintptr_t high)
{
	struct stack *stack = &stacks->stacks[stacks->world->thread_count];

	*stack = (struct stack){.low = low, .high = high, .live = high};
	for (size_t i = 0; i < stacks->world->thread_count; i++)
		stack_measure(stack, stacks->world, i);
	if (stack->live == high)
		stack->live = low;
	stacks->count = stacks->world->thread_count + 1;
}

/* Shortens *end to at when at lies between start and *end. */
static void shorten(uintptr_t *end, uintptr_t start, uintptr_t at)
{
	if (at > start && at < *end)
		*end = at;
}

/* What a part of memory is, as far as is known. */
struct part {
	uintptr_t start, end;
	const struct stack *in_use, *thread;
	bool dead;
};

static void part_of_stack(struct part *part, const struct stack *stack)
{
	shorten(&part->end, part->start, stack->low);
	shorten(&part->end, part->start, stack->live);
	shorten(&part->end, part->start, stack->high);
	if (part->start >= stack->live && part->start < stack->high)
		part->in_use = stack;
	else if (part->start >= stack->low && part->start < stack->live)
		part->dead = true;
}

static void part_of_thread(struct part *part, const struct stack *stack)
{
	shorten(&part->end, part->start, stack->thread);
	shorten(&part->end, part->start, stack->thread_end);
	if (part->start >= stack->thread && part->start < stack->thread_end)
		part->thread = stack;
}

/* Those that may hold the start, and the first behind it. */
static void part_look(struct part *part, const struct stacks_order *order, size_t count,
	void (*look)(struct part *part, const struct stack *stack))
{
	size_t at = order_count(order, count, part->start);

	if (at < count)
		look(part, order[at].stack);
	for (; at && order[at - 1].reach > part->start; at--)
		look(part, order[at - 1].stack);
}

uintptr_t stacks_part(const struct stacks *stacks, uintptr_t start, uintptr_t end,
	struct scan_place *place, bool *dead)
{
	const size_t count = stacks->world->thread_count;
	struct part part = {.start = start, .end = end};
	const struct stack *in_use, *thread;

	part_look(&part, stacks->by_low, count, part_of_stack);
	part_look(&part, stacks->by_thread, count, part_of_thread);
	if (stacks->count > count)
		part_of_stack(&part, &stacks->stacks[count]);
	end = part.end;
	*dead = part.dead;
	in_use = part.in_use;
	thread = part.thread;
	if (!thread && !in_use)
		return end;
	*dead = false;
	place->kind = thread ? SCAN_THREAD : SCAN_STACK;
	place->tid = thread ? thread->tid : in_use->tid;
	place->sp = thread ? thread->sp : in_use->sp;
	return end;
}
