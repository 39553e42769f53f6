/* SPDX-License-Identifier: MIT */
/*
 * Handlers of fork.  Those that a module registers in its own name the C
 * library forgets when the module is unloaded.  Those of its functions that are
 * registered in somebody else's name are registered in the name of an entry of
 * ours instead, which the C library is told to forget at the unload.
 */
#include "shim/danglings.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/next.h"

typedef void (*handler)(void);

int register_atfork(handler prepare, handler parent, handler child, void *dso) __asm__(
	"__register_atfork");

static uint16_t handlers_owner(handler prepare, handler parent, handler child, uintptr_t *function)
{
	const handler all[] = {prepare, parent, child};
	uint16_t owner = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all) && !owner; i++) {
		*function = (uintptr_t)all[i];
		owner = all[i] ? hook_owner(*function) : 0;
	}
	return owner;
}

static bool is_in(uint16_t generation, const void *address)
{
	const struct generation *at = generation_at(generation);

	return (uintptr_t)address - at->start < at->end - at->start;
}

/* In the module's own name, or that of another that goes no later. */
static void own_count(struct origin origin, const void *dso)
{
	static _Atomic uint64_t numbers;
	const struct holding like = {
		.kind = SESSION_FORK_HANDLER, .key = ++numbers, .data = {(uintptr_t)dso}};

	ledger_acquire(origin, &like);
}

RELIB_EXPORT int register_atfork(handler prepare, handler parent, handler child, void *dso)
{
	const struct origin origin = CALL_ORIGIN();
	struct hook_entry like = {.kind = SESSION_DANGLING_FORK}, *entry = NULL;
	int result;

	if (!next_ready() || !next.register_atfork)
		return -1;
	like.generation = handlers_owner(prepare, parent, child, &like.function);
	like.place = origin.place;
	if (like.generation && !is_in(like.generation, dso))
		entry = hook_entry_take(&like);
	result = next.register_atfork(prepare, parent, child, entry ? entry : dso);
	if (result) {
		if (entry)
			hook_entry_give(entry);
		return result;
	}
	if (entry)
		entry->balance = balance_acquire(origin, SESSION_FORK_HANDLER, 0);
	else if (origin.place)
		own_count(origin, dso);
	return result;
}

static void visit_going(struct hook_entry *entry, void *data)
{
	const uint16_t *generation = data;
	const struct session_dangling like = {
		.kind = SESSION_DANGLING_FORK,
		.place = entry->place,
		.taken_back = 1,
	};

	if (entry->generation != *generation)
		return;
	dangling_hook(*generation, entry->function, &like, NULL);
	if (entry->balance)
		balance_take_back(entry->balance, 1, 0);
	next.finalize(entry);
	hook_entry_give(entry);
}

static void visit_own(const struct holding *holding, void *data)
{
	const uint16_t *generation = data;

	/* in somebody else's name it is no function of the module's: it may stay */
	if (is_in(*generation, (const void *)holding->data[0]))
		ledger_was_gone(holding);
	else
		ledger_left(holding, 0, NULL, NULL);
}

void fork_handlers_take_back(uint16_t generation)
{
	if (!next.finalize)
		return;
	hook_entries_each(SESSION_DANGLING_FORK, visit_going, &generation);
	ledger_each(
		SESSION_FORK_HANDLER, generation_at(generation)->record, visit_own, &generation);
}
