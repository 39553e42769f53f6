/* SPDX-License-Identifier: MIT */
/*
 * Handlers for the end of the process.  Those that a module registers in its
 * own name the C library forgets when the module is unloaded: atexit's are run
 * then, at_quick_exit's are not.  What stays, and would be called after the
 * module went: on_exit, which knows no owner, and handlers registered in nobody's
 * or somebody else's name.
 *
 * These are registered in the name of an entry of ours, which the C library is
 * told to forget at the unload.  The order among all handlers stays as it is.
 */
#include <errno.h>

#include "shim/danglings.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/thread.h"

int on_exit(void (*function)(int, void *), void *argument);
int __cxa_at_quick_exit(void (*function)(void *), void *dso);
int __cxa_atexit(void (*function)(void *), void *argument, void *dso);

/* Runs once, at the end of the process; the C library has no way to forget it. */
static void on_exit_call(int status, void *data)
{
	struct hook_entry *entry = data, copy = *entry;

	if (!copy.number || copy.dropped)
		return;
	((void (*)(int, void *))copy.function)(status, (void *)copy.argument);
}

static void atexit_call(void *data)
{
	struct hook_entry *entry = data, copy = *entry;

	if (!copy.number || copy.dropped)
		return;
	((void (*)(void *))copy.function)((void *)copy.argument);
}

static struct hook_entry *entry_make(uint8_t kind, uintptr_t function, const void *argument,
	uint16_t generation, const struct caller *caller)
{
	const struct hook_entry like = {
		.kind = kind,
		.function = function,
		.argument = (uintptr_t)argument,
		.generation = generation,
		.place = hook_place(caller),
	};

	return hook_entry_take(&like);
}

RELIB_EXPORT int on_exit(void (*function)(int, void *), void *argument)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct hook_entry *entry = NULL;
	uint16_t generation;
	int result;

	if (!next_ready() || !next.on_exit)
		return -1;
	generation = hook_owner((uintptr_t)function);
	if (generation)
		entry = entry_make(SESSION_DANGLING_ON_EXIT, (uintptr_t)function, argument,
			generation, &caller);
	if (!entry)
		return next.on_exit(function, argument);
	result = next.on_exit(on_exit_call, entry);
	if (result)
		hook_entry_give(entry);
	return result;
}

/* Whether the C library will forget the function when its module goes. */
static bool is_owned(uint16_t generation, const void *dso)
{
	const struct generation *owner = generation_at(generation);

	return (uintptr_t)dso - owner->start < owner->end - owner->start;
}

RELIB_EXPORT int __cxa_at_quick_exit(void (*function)(void *), void *dso)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct hook_entry *entry = NULL;
	uint16_t generation;
	int result;

	if (!next_ready() || !next.at_quick_exit)
		return -1;
	generation = hook_owner((uintptr_t)function);
	if (generation)
		entry = entry_make(SESSION_DANGLING_QUICK_EXIT, (uintptr_t)function, NULL,
			generation, &caller);
	if (!entry)
		return next.at_quick_exit(function, dso);
	entry->handle = is_owned(generation, dso) ? 0 : (uintptr_t)entry;
	result = next.at_quick_exit(function, entry->handle ? entry : dso);
	if (result)
		hook_entry_give(entry);
	return result;
}

/*
 * Whose name it is: a module's static object may have a destructor in another
 * module that it needs, and which cannot go before it.
 */
static bool is_foreign(uint16_t generation, const void *dso)
{
	return !is_owned(generation, dso) && !(dso && generation_of((uintptr_t)dso));
}

RELIB_EXPORT int __cxa_atexit(void (*function)(void *), void *argument, void *dso)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct hook_entry *entry = NULL;
	uint16_t generation;
	int result;

	if (!next_ready() || !next.atexit)
		return -1;
	generation = dso && generation_alive ? generation_of((uintptr_t)dso) : 0;
	if (generation)
		generation_at(generation)->exits = true;
	generation = hook_owner((uintptr_t)function);
	if (generation && is_foreign(generation, dso))
		entry = entry_make(SESSION_DANGLING_ON_EXIT, (uintptr_t)function, argument,
			generation, &caller);
	if (!entry)
		return next.atexit(function, argument, dso);
	entry->handle = (uintptr_t)entry;
	result = next.atexit(atexit_call, entry, entry);
	if (result)
		hook_entry_give(entry);
	return result;
}

struct taking {
	uint16_t generation;
	uint32_t count;
};

static void visit_going(struct hook_entry *entry, void *data)
{
	struct taking *taking = data;
	struct session_dangling like = {
		.kind = entry->kind,
		.place = entry->place,
		.taken_back = 1,
	};
	bool lasting = entry->kind == SESSION_DANGLING_ON_EXIT && !entry->handle;

	if (entry->generation != taking->generation || entry->dropped)
		return;
	taking->count++;
	dangling_hook(taking->generation, entry->function, &like, NULL);
	entry->dropped = true;
	entry->function = entry->argument = 0;
	if (entry->handle)
		next.finalize(entry);
	/* on_exit's is still in the C library's list */
	if (!lasting)
		hook_entry_give(entry);
}

uint32_t exits_take_back(uint16_t generation)
{
	struct taking taking = {.generation = generation};

	if (!next.finalize)
		return 0;
	hook_entries_each(SESSION_DANGLING_ON_EXIT, visit_going, &taking);
	hook_entries_each(SESSION_DANGLING_QUICK_EXIT, visit_going, &taking);
	return taking.count;
}
