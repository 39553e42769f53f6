/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/lock.h"
#include "shim/object-image.h"
#include "shim/session.h"

#define CHUNK_SHIFT 8
#define CHUNKS 256u
#define PATHS 1024u /* lists of the table of paths */

/* How often a path was loaded. */
struct path_count {
	struct path_count *next;
	uint32_t path; /* string in the session */
	uint32_t loads;
};

static struct generation *chunks[CHUNKS];
static _Atomic uint32_t limit = 1;
static _Atomic uint32_t gone;
static uint32_t search_from = 1;
uint32_t generation_alive;

static struct path_count *paths[PATHS];
static struct lock generation_lock;

struct generation *generation_at(uint16_t slot)
{
	static struct generation none = {.state = GENERATION_ALIVE};
	struct generation *chunk = chunks[slot >> CHUNK_SHIFT];

	return slot == HEAP_GENERATION_NONE || !chunk ? &none
						      : chunk + (slot & ((1u << CHUNK_SHIFT) - 1));
}

uint32_t generation_limit(void)
{
	return atomic_load(&limit);
}

uint32_t generation_gone_count(void)
{
	return atomic_load(&gone);
}

static uint16_t slot_take(void)
{
	uint32_t end = atomic_load(&limit), slot;

	for (slot = search_from; slot < end; slot++)
		if (generation_at((uint16_t)slot)->state == GENERATION_FREE)
			break;
	if (slot > UINT16_MAX)
		return 0;
	search_from = slot + 1;
	if (slot < end)
		return (uint16_t)slot;
	if (!chunks[slot >> CHUNK_SHIFT])
		chunks[slot >> CHUNK_SHIFT] = arena_take(sizeof(struct generation) << CHUNK_SHIFT);
	if (!chunks[slot >> CHUNK_SHIFT])
		return 0;
	atomic_store(&limit, slot + 1);
	return (uint16_t)slot;
}

static uint32_t path_hash(const char *path)
{
	uint32_t hash = 2166136261u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 16777619u;
	return hash % PATHS;
}

/* The number of this load of the path, from 1. */
static uint32_t path_load(uint32_t path)
{
	const char *text = session_record(SESSION_STRINGS, path);
	struct path_count **list = &paths[path_hash(text)], *found;

	for (found = *list; found; found = found->next)
		if (!strcmp(session_record(SESSION_STRINGS, found->path), text))
			return ++found->loads;
	found = arena_take(sizeof(*found));
	if (!found)
		return 1;
	*found = (struct path_count){.next = *list, .path = path, .loads = 1};
	*list = found;
	return 1;
}

uint16_t generation_begin(struct object *object, uint16_t parent)
{
	struct session_generation record = {.object = object_record_tracked(object)};
	struct session_object *of;
	struct generation *made;
	uint32_t record_index;
	uint16_t slot;

	if (!record.object || !lock_take(&generation_lock))
		return 0;
	of = session_record(SESSION_OBJECTS, record.object);
	record.number = path_load(of->path);
	record.parent = parent ? generation_at(parent)->record : 0;
	record.state = SESSION_LOADED;
	record.base = object->bias;
	record.start = object->start;
	record.size = object->end - object->start;
	record.loaded_ns = session_clock();
	record_index = session_add(SESSION_GENERATIONS, &record);
	slot = record_index ? slot_take() : 0;
	if (slot) {
		made = generation_at(slot);
		*made = (struct generation){
			.state = GENERATION_ALIVE,
			.record = record_index,
			.object = record.object,
			.tls_module = object->tls_module,
			.tls_size = object->tls_size,
			.tls_least = object->tls_least,
			.start = object->start,
			.end = object->end,
		};
	}
	if (slot)
		__atomic_fetch_add(&generation_alive, 1, __ATOMIC_RELAXED);
	lock_give(&generation_lock);
	return slot;
}

uint16_t generation_of(uintptr_t address)
{
	uint32_t end = atomic_load(&limit);

	for (uint32_t slot = 1; slot < end; slot++) {
		const struct generation *generation = generation_at((uint16_t)slot);

		if (generation->state == GENERATION_ALIVE &&
			address - generation->start < generation->end - generation->start)
			return (uint16_t)slot;
	}
	return 0;
}

void generation_gone(uint16_t slot)
{
	struct generation *generation = generation_at(slot);
	struct session_generation *record;

	if (!slot || generation->state != GENERATION_ALIVE)
		return;
	generation->state = GENERATION_GONE;
	__atomic_fetch_sub(&generation_alive, 1, __ATOMIC_RELAXED);
	atomic_fetch_add(&gone, 1);
	if (!generation->record)
		return;
	record = session_record(SESSION_GENERATIONS, generation->record);
	record->unloaded_ns = session_clock();
	record->state = SESSION_UNLOADED_BLIND;
}

void generation_looked(uint16_t slot)
{
	generation_at(slot)->state = GENERATION_DEAD;
	atomic_fetch_sub(&gone, 1);
}

void generation_end(uint16_t slot)
{
	if (!lock_take(&generation_lock))
		return; /* it stays for the next look */
	generation_at(slot)->state = GENERATION_FREE;
	if (slot < search_from)
		search_from = slot;
	lock_give(&generation_lock);
}

void generation_fork_child(void)
{
	generation_lock.owner = 0;
}
