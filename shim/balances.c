/* SPDX-License-Identifier: MIT */
#include "shim/balances.h"

#include <errno.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/ledger.h"
#include "shim/lock.h"
#include "shim/places.h"
#include "shim/thread.h"

/*
 * Where to find the balance of a kind and place.  Each generation has lists of
 * its own, which only calls of its code walk, without a lock: so they can be
 * used for others when it is unloaded.
 */
struct balance_entry {
	struct balance_entry *next;
	uint32_t kind, place, balance;
};

static struct balance_entry *spare;
static struct lock balances_lock;

static struct balance_entry **list_of(
	struct generation *generation, enum session_resource kind, uint32_t place)
{
	return &generation->balances[(kind * 31 + place) % GENERATION_BALANCES];
}

static uint32_t entry_find(
	struct balance_entry *const *list, enum session_resource kind, uint32_t place)
{
	const struct balance_entry *entry = __atomic_load_n(list, __ATOMIC_ACQUIRE);

	for (; entry; entry = entry->next)
		if (entry->kind == kind && entry->place == place)
			return entry->balance;
	return 0;
}

static struct balance_entry *entry_take(void)
{
	struct balance_entry *entry = spare;

	if (!entry)
		return arena_take(sizeof(*entry));
	spare = entry->next;
	return entry;
}

/* Under the lock. */
static uint32_t entry_make(struct generation *generation, struct balance_entry **list,
	enum session_resource kind, uint32_t place)
{
	const struct session_balance made = {
		.generation = generation->record,
		.kind = kind,
		.place = place,
	};
	struct balance_entry *entry = entry_take();
	uint32_t balance = entry ? session_add(SESSION_BALANCES, &made) : 0;

	if (!entry)
		return 0;
	if (!balance) {
		entry->next = spare;
		spare = entry;
		return 0;
	}
	*entry = (struct balance_entry){*list, kind, place, balance};
	__atomic_store_n(list, entry, __ATOMIC_RELEASE);
	return balance;
}

static uint32_t balance_find(
	struct generation *generation, enum session_resource kind, uint32_t place)
{
	struct balance_entry **list = list_of(generation, kind, place);
	uint32_t balance = entry_find(list, kind, place);

	if (balance || !lock_take(&balances_lock))
		return balance;
	balance = entry_find(list, kind, place);
	if (!balance)
		balance = entry_make(generation, list, kind, place);
	lock_give(&balances_lock);
	return balance;
}

static void add(uint64_t *to, uint64_t amount)
{
	if (amount)
		__atomic_fetch_add(to, amount, __ATOMIC_RELAXED);
}

uint32_t balance_acquire(struct origin origin, enum session_resource kind, uint64_t bytes)
{
	struct generation *generation = generation_at(origin.generation);
	int saved = errno;
	uint32_t balance;

	if (!session || !origin.place || !generation->record)
		return 0;
	thread_self.inside++;
	places_settle();
	balance = balance_find(generation, kind, origin.place);
	if (balance) {
		add(&balance_at(balance)->acquired, 1);
		add(&balance_at(balance)->acquired_bytes, bytes);
	}
	thread_self.inside--;
	errno = saved;
	return balance;
}

void balance_grow(uint32_t balance, uint64_t bytes)
{
	add(&balance_at(balance)->acquired_bytes, bytes);
}

void balance_give_back(uint32_t balance, uint64_t count, uint64_t bytes)
{
	struct session_balance *record = balance_at(balance);
	bool later = balance_generation(balance)->state != SESSION_LOADED;

	add(later ? &record->later : &record->given_back, count);
	add(later ? &record->later_bytes : &record->given_back_bytes, bytes);
}

void balance_give_back_before(uint32_t balance, uint64_t count, uint64_t bytes)
{
	struct session_balance *record = balance_at(balance);

	add(&record->given_back, count);
	add(&record->given_back_bytes, bytes);
}

void balance_take_back(uint32_t balance, uint64_t count, uint64_t bytes)
{
	struct session_balance *record = balance_at(balance);

	add(&record->taken_back, count);
	add(&record->taken_back_bytes, bytes);
}

uint32_t leftover_add(const struct session_leftover *like, const char *text, const char *why)
{
	struct session_balance *balance = balance_at(like->balance);
	struct session_leftover made = *like;
	uint32_t index;

	if (made.state == SESSION_TAKEN_BACK)
		balance_take_back(made.balance, 1, made.bytes);
	if (__atomic_fetch_add(&balance->leftovers, 1, __ATOMIC_RELAXED) >=
		SESSION_LEFTOVERS_MOST) {
		__atomic_fetch_sub(&balance->leftovers, 1, __ATOMIC_RELAXED);
		return 0;
	}
	made.text = text && *text ? ledger_text(text) : made.text;
	made.why = why ? ledger_text(why) : 0;
	index = session_add(SESSION_LEFTOVERS, &made);
	if (!index)
		__atomic_fetch_sub(&balance->leftovers, 1, __ATOMIC_RELAXED);
	return index;
}

void leftover_state(uint32_t leftover, enum session_leftover_state state)
{
	struct session_leftover *record;

	if (!leftover)
		return;
	record = session_record(SESSION_LEFTOVERS, leftover);
	__atomic_store_n(&record->state, state, __ATOMIC_RELAXED);
}

void balances_each(const struct generation *generation,
	void (*visit)(struct session_balance *balance, void *data), void *data)
{
	const struct balance_entry *entry;

	for (size_t i = 0; i < GENERATION_BALANCES; i++)
		for (entry = __atomic_load_n(&generation->balances[i], __ATOMIC_ACQUIRE); entry;
			entry = entry->next)
			visit(balance_at(entry->balance), data);
}

void balances_end(struct generation *generation)
{
	if (!lock_take(&balances_lock))
		return;
	for (size_t i = 0; i < GENERATION_BALANCES; i++) {
		while (generation->balances[i]) {
			struct balance_entry *entry = generation->balances[i];

			generation->balances[i] = entry->next;
			entry->next = spare;
			spare = entry;
		}
	}
	lock_give(&balances_lock);
}

void balances_settle(void)
{
	uint64_t count = session->table[SESSION_BALANCES].record_count;

	for (uint32_t index = 1; index < count; index++) {
		struct session_balance *balance = balance_at(index);

		balance->acquired -= balance->given_back;
		balance->acquired_bytes -= balance->given_back_bytes;
		balance->given_back = balance->given_back_bytes = 0;
	}
}

void balances_fork_child(void)
{
	balances_lock.owner = 0;
}
