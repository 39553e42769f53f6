/* SPDX-License-Identifier: MIT */
#include "shim/hook-entries.h"

#include "shim/lock.h"
#include "shim/module.h"
#include "shim/objects.h"
#include "shim/sys.h"

#define CHUNK 512u /* entries mapped at once */
#define CHUNKS 2048u
#define INDEX_BITS 20u /* of a number: which entry; the rest counts */

static struct hook_entry *chunks[CHUNKS];
static uint32_t entries;     /* in the chunks so far */
static uint32_t search_from; /* below are none free */
static uint64_t numbers;
static struct lock entries_lock;

static struct hook_entry *entry_at(uint32_t index)
{
	return chunks[index / CHUNK] + index % CHUNK;
}

static struct hook_entry *entry_free(uint32_t *index)
{
	for (*index = search_from; *index < entries; ++*index)
		if (!entry_at(*index)->number)
			return entry_at(*index);
	if (entries / CHUNK >= CHUNKS)
		return NULL;
	chunks[entries / CHUNK] =
		sys_map(CHUNK * sizeof(struct hook_entry), PROT_READ | PROT_WRITE);
	if (!chunks[entries / CHUNK])
		return NULL;
	__atomic_store_n(&entries, entries + CHUNK, __ATOMIC_RELEASE);
	return entry_at(*index);
}

struct hook_entry *hook_entry_take(const struct hook_entry *like)
{
	struct hook_entry *entry;
	uint32_t index;

	if (!lock_take(&entries_lock))
		return NULL;
	entry = entry_free(&index);
	if (entry) {
		*entry = *like;
		search_from = index + 1;
		entry->running = 0;
		entry->dropped = false;
		__atomic_store_n(&entry->number, ++numbers << INDEX_BITS | index, __ATOMIC_RELEASE);
	}
	lock_give(&entries_lock);
	return entry;
}

void hook_entry_give(struct hook_entry *entry)
{
	uint32_t index;

	if (!lock_take(&entries_lock)) {
		entry->dropped = true;
		return;
	}
	index = (uint32_t)entry->number & ((1u << INDEX_BITS) - 1);
	if (index < search_from)
		search_from = index;
	*entry = (struct hook_entry){0};
	lock_give(&entries_lock);
}

static struct hook_entry *entry_of(uint64_t number)
{
	uint32_t index = (uint32_t)number & ((1u << INDEX_BITS) - 1);
	struct hook_entry *entry = index < entries ? entry_at(index) : NULL;

	return entry && entry->number == number ? entry : NULL;
}

bool hook_entry_enter(uint64_t number, struct hook_entry *copy)
{
	struct hook_entry *entry;
	bool entered = false;

	if (!lock_take(&entries_lock))
		return false;
	entry = entry_of(number);
	if (entry && !entry->dropped) {
		__atomic_fetch_add(&entry->running, 1, __ATOMIC_RELAXED);
		*copy = *entry;
		entered = true;
	}
	lock_give(&entries_lock);
	return entered;
}

void hook_entry_leave(uint64_t number)
{
	struct hook_entry *entry = entry_of(number);

	/* whoever takes entries back waits until nobody is inside */
	if (entry)
		__atomic_fetch_sub(&entry->running, 1, __ATOMIC_RELEASE);
}

void hook_entries_each(
	uint8_t kind, void (*visit)(struct hook_entry *entry, void *data), void *data)
{
	uint32_t count = __atomic_load_n(&entries, __ATOMIC_ACQUIRE);

	for (uint32_t index = 0; index < count; index++) {
		struct hook_entry *entry = entry_at(index);

		if (__atomic_load_n(&entry->number, __ATOMIC_ACQUIRE) && entry->kind == kind)
			visit(entry, data);
	}
}

uint16_t hook_owner(uintptr_t function)
{
	const struct object *object;

	if (!__atomic_load_n(&generation_alive, __ATOMIC_RELAXED))
		return 0;
	object = object_of(function);
	return object ? object->generation : 0;
}

uint32_t hook_place(const struct caller *caller)
{
	uint32_t code;

	return module_may_own(caller->pc, &code) ? module_origin(caller, code).place : 0;
}

void hook_entries_fork_child(void)
{
	entries_lock.owner = 0;
}
