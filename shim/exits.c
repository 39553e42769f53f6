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
#include "shim/ledger.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/thread.h"

int on_exit(void (*function)(int, void *), void *argument);
int __cxa_at_quick_exit(void (*function)(void *), void *dso);
int __cxa_atexit(void (*function)(void *), void *argument, void *dso);

/* The C library hands the status to handlers of all kinds, and forgets only this one. */
static void on_exit_call(void *data, int status)
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
	const struct origin origin = caller_origin(caller);
	const struct hook_entry like = {
		.kind = kind,
		.function = function,
		.argument = (uintptr_t)argument,
		.generation = generation,
		.place = origin.place,
	};
	struct hook_entry *entry = hook_entry_take(&like);

	if (entry)
		entry->balance = balance_acquire(origin, SESSION_EXIT_HANDLER, 0);
	return entry;
}

/* It was not registered after all. */
static void entry_drop(struct hook_entry *entry)
{
	if (entry->balance)
		balance_give_back(entry->balance, 1, 0);
	hook_entry_give(entry);
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
	generation = next.atexit ? hook_owner((uintptr_t)function) : 0;
	if (generation)
		entry = entry_make(SESSION_DANGLING_ON_EXIT, (uintptr_t)function, argument,
			generation, &caller);
	if (!entry)
		return next.on_exit(function, argument);
	entry->handle = (uintptr_t)entry;
	result = next.atexit((void (*)(void *))(void (*)(void))on_exit_call, entry, entry);
	if (result)
		entry_drop(entry);
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
		entry_drop(entry);
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
	uint16_t named, generation;
	int result;

	if (!next_ready() || !next.atexit)
		return -1;
	named = dso && generation_alive ? generation_of((uintptr_t)dso) : 0;
	if (named)
		generation_at(named)->exits = true;
	generation = hook_owner((uintptr_t)function);
	if (generation && is_foreign(generation, dso))
		entry = entry_make(SESSION_DANGLING_ON_EXIT, (uintptr_t)function, argument,
			generation, &caller);
	if (!entry) {
		result = next.atexit(function, argument, dso);
		if (!result && named)
			balance_acquire(caller_origin(&caller), SESSION_EXIT_HANDLER, 0);
		return result;
	}
	entry->handle = (uintptr_t)entry;
	result = next.atexit(atexit_call, entry, entry);
	if (result)
		entry_drop(entry);
	return result;
}

static void visit_going(struct hook_entry *entry, void *data)
{
	const uint16_t *generation = data;
	struct session_dangling like = {
		.kind = entry->kind,
		.place = entry->place,
		.taken_back = 1,
	};

	if (entry->generation != *generation || entry->dropped)
		return;
	dangling_hook(*generation, entry->function, &like, NULL);
	if (entry->balance)
		balance_take_back(entry->balance, 1, 0);
	entry->dropped = true;
	entry->function = entry->argument = 0;
	if (entry->handle)
		next.finalize(entry);
	hook_entry_give(entry);
}

/* Those in its own name the C library has run or forgotten. */
static void visit_own(struct session_balance *balance, void *data)
{
	uint64_t gone = balance->given_back + balance->taken_back;

	if (balance->kind == SESSION_EXIT_HANDLER && balance->acquired > gone)
		__atomic_fetch_add(
			&balance->given_back, balance->acquired - gone, __ATOMIC_RELAXED);
}

void exits_take_back(uint16_t generation)
{
	if (!next.finalize)
		return;
	hook_entries_each(SESSION_DANGLING_ON_EXIT, visit_going, &generation);
	hook_entries_each(SESSION_DANGLING_QUICK_EXIT, visit_going, &generation);
	balances_each(generation_at(generation), visit_own, NULL);
}
