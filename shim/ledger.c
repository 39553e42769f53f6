/* SPDX-License-Identifier: MIT */
#include "shim/ledger.h"

#include <errno.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/lock.h"
#include "shim/session.h"
#include "shim/thread.h"

#define LISTS 4096u

struct entry {
	struct entry *next;
	uint64_t number; /* never used again */
	struct holding holding;
};

uint32_t ledger_counts[SESSION_RESOURCES];
static struct entry *lists[LISTS];
static struct entry *spare;
static uint64_t numbers;
static struct lock ledger_lock;

static struct entry **list_of(enum session_resource kind, uint64_t key)
{
	return &lists[(key ^ (uint64_t)kind << 56) * UINT64_C(0x9e3779b97f4a7c15) >> 52];
}

/* Where the one with the key hangs, or the end of its list.  Under the lock. */
static struct entry **entry_find(enum session_resource kind, uint64_t key)
{
	struct entry **at = list_of(kind, key);

	while (*at && ((*at)->holding.key != key || (*at)->holding.kind != kind))
		at = &(*at)->next;
	return at;
}

/* Under the lock. */
static bool entry_add(const struct holding *holding)
{
	struct entry **list = list_of(holding->kind, holding->key), *entry = spare;

	if (entry)
		spare = entry->next;
	else
		entry = arena_take(sizeof(*entry));
	if (!entry)
		return false;
	*entry = (struct entry){*list, ++numbers, *holding};
	*list = entry;
	__atomic_fetch_add(&ledger_counts[holding->kind], 1, __ATOMIC_RELAXED);
	return true;
}

static bool entry_remove(enum session_resource kind, uint64_t key, struct holding *was)
{
	struct entry **at, *entry;

	if (ledger_is_empty(kind) || !lock_take(&ledger_lock))
		return false;
	at = entry_find(kind, key);
	entry = *at;
	if (entry) {
		*was = entry->holding;
		*at = entry->next;
		entry->next = spare;
		spare = entry;
		__atomic_fetch_sub(&ledger_counts[kind], 1, __ATOMIC_RELAXED);
	}
	lock_give(&ledger_lock);
	return entry != NULL;
}

bool ledger_give_back(enum session_resource kind, uint64_t key, struct holding *was)
{
	if (thread_self.vforked || !entry_remove(kind, key, was))
		return false;
	balance_give_back(was->balance, 1, was->bytes);
	leftover_state(was->leftover, SESSION_GIVEN_BACK);
	return true;
}

bool ledger_acquire(struct origin origin, const struct holding *like)
{
	struct holding holding = *like, was;
	bool added = false;

	if (thread_self.vforked)
		return false;
	ledger_give_back(like->kind, like->key, &was);
	if (!origin.place)
		return false;
	holding.leftover = 0;
	holding.balance = balance_acquire(origin, like->kind, like->bytes);
	if (!holding.balance)
		return false;
	holding.generation = balance_at(holding.balance)->generation;
	if (lock_take(&ledger_lock)) {
		added = entry_add(&holding);
		lock_give(&ledger_lock);
	}
	/* nobody would learn that it is given back */
	if (!added)
		balance_give_back(holding.balance, 1, holding.bytes);
	return added;
}

bool ledger_find(enum session_resource kind, uint64_t key, struct holding *copy)
{
	struct entry *entry;

	if (ledger_is_empty(kind) || !lock_take(&ledger_lock))
		return false;
	entry = *entry_find(kind, key);
	if (entry)
		*copy = entry->holding;
	lock_give(&ledger_lock);
	return entry != NULL;
}

void ledger_change(const struct holding *holding)
{
	struct entry *entry;

	if (!lock_take(&ledger_lock))
		return;
	entry = *entry_find(holding->kind, holding->key);
	if (entry) {
		entry->holding.leftover = holding->leftover;
		entry->holding.text = holding->text;
		memcpy(entry->holding.data, holding->data, sizeof(holding->data));
	}
	lock_give(&ledger_lock);
}

void ledger_forget(enum session_resource kind, uint64_t key)
{
	struct holding was;

	entry_remove(kind, key, &was);
}

static uint32_t left_record(const struct holding *holding, enum session_leftover_state state,
	uint64_t number, const struct session_root *root, const char *text, const char *why)
{
	const struct session_leftover like = {
		.root = root ? *root : (struct session_root){.kind = SESSION_ROOT_NONE},
		.balance = holding->balance,
		.state = state,
		.number = number,
		.bytes = holding->bytes,
		.text = holding->text,
	};

	return leftover_add(&like, text, why);
}

void ledger_left(const struct holding *holding, uint64_t number, const char *text, const char *why)
{
	struct holding changed = *holding;

	if (holding->leftover)
		return;
	changed.leftover = left_record(holding, SESSION_LEFT, number, NULL, text, why);
	if (changed.leftover)
		ledger_change(&changed);
}

void ledger_taken_back(const struct holding *holding, uint64_t number, const char *text)
{
	left_record(holding, SESSION_TAKEN_BACK, number, NULL, text, NULL);
	ledger_forget(holding->kind, holding->key);
}

void ledger_was_gone(const struct holding *holding)
{
	balance_give_back_before(holding->balance, 1, holding->bytes);
	ledger_forget(holding->kind, holding->key);
}

/* Changes what is recorded already. */
static void left_again(const struct holding *holding, enum session_leftover_state state,
	const struct session_root *root, const char *why)
{
	struct session_leftover *record = session_record(SESSION_LEFTOVERS, holding->leftover);

	record->root = root ? *root : (struct session_root){.kind = SESSION_ROOT_NONE};
	record->why = why ? ledger_text(why) : 0;
	leftover_state(holding->leftover, state);
	if (state == SESSION_TAKEN_BACK)
		balance_take_back(holding->balance, 1, holding->bytes);
}

void ledger_looked_at(const struct holding *holding, enum session_leftover_state state,
	uint64_t number, const struct session_root *root, const char *why)
{
	struct holding changed = *holding;

	if (holding->leftover) {
		left_again(holding, state, root, why);
		return;
	}
	changed.leftover = left_record(holding, state, number, root, NULL, why);
	if (changed.leftover && state != SESSION_TAKEN_BACK)
		ledger_change(&changed);
}

#define BATCH 32u

/* A walk through all lists; each is ordered by number, the newest first. */
struct walk {
	enum session_resource kind;
	uint32_t generation;
	uint32_t list;
	uint64_t below; /* numbers in this list that were not visited yet */
};

static bool is_wanted(const struct walk *walk, const struct entry *entry)
{
	return entry->holding.kind == walk->kind && entry->number < walk->below &&
	       (!walk->generation || entry->holding.generation == walk->generation);
}

/* Copies of up to BATCH of one list; none: there are no more. */
static size_t batch_take(struct walk *walk, struct holding *batch)
{
	size_t count = 0;

	if (!lock_take(&ledger_lock))
		return 0;
	while (walk->list < LISTS && !count) {
		for (const struct entry *entry = lists[walk->list]; entry && count < BATCH;
			entry = entry->next) {
			if (!is_wanted(walk, entry))
				continue;
			batch[count++] = entry->holding;
			walk->below = entry->number;
		}
		if (count < BATCH) {
			walk->list++;
			walk->below = UINT64_MAX;
		}
	}
	lock_give(&ledger_lock);
	return count;
}

void ledger_each(enum session_resource kind, uint32_t generation,
	void (*visit)(const struct holding *holding, void *data), void *data)
{
	struct walk walk = {.kind = kind, .generation = generation, .below = UINT64_MAX};
	struct holding batch[BATCH];
	size_t count;

	if (ledger_is_empty(kind))
		return;
	while ((count = batch_take(&walk, batch)))
		for (size_t i = 0; i < count; i++)
			visit(&batch[i], data);
}

#define TEXTS 64u

/* The last texts, so that a module which is loaded again and again adds no new ones. */
uint32_t ledger_text(const char *text)
{
	static uint32_t texts[TEXTS];
	uint32_t *at = &texts[ledger_hash(text) % TEXTS];

	if (!session || !*text)
		return 0;
	if (!*at || strcmp(session_record(SESSION_STRINGS, *at), text))
		*at = session_string(text, strlen(text));
	return *at;
}

uint64_t ledger_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

void ledger_fork_child(void)
{
	ledger_lock.owner = 0;
}
