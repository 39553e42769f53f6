/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/arena.h"
#include "shim/balances.h"
#include "shim/heap.h"
#include "shim/lock.h"
#include "shim/objects.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/sys.h"

#define INFO_SHIFT 10
#define INFO_CHUNKS 2048u
#define INDEX_LEAST 1024u

/* What only this process needs to know of a place. */
struct place_info {
	uint32_t hash;
	uint32_t next; /* of the same object */
	struct place_past past;
};

static struct place_info *infos[INFO_CHUNKS];
static uint32_t *index_table; /* place ids by hash, open addressing */
static uint32_t index_size, index_used;
static uint32_t *first_of; /* place by object record */
static uint32_t first_size;
static struct lock places_lock;

static struct place_info *info_of(uint32_t place)
{
	struct place_info **chunk = &infos[place >> INFO_SHIFT];

	if (place >> INFO_SHIFT >= INFO_CHUNKS)
		return NULL;
	if (!*chunk)
		*chunk = arena_take(sizeof(struct place_info) << INFO_SHIFT);
	return *chunk ? *chunk + (place & ((1u << INFO_SHIFT) - 1)) : NULL;
}

uint64_t place_frame(uintptr_t pc)
{
	struct object *object = object_of(pc - 1);
	uint32_t record = object ? object_record(object) : 0;

	return record && record < 65536 ? SESSION_FRAME(record, pc - object->bias)
					: SESSION_FRAME(0, pc);
}

static uint32_t stack_hash(
	uint32_t object, const uint64_t *frames, unsigned int count, unsigned int owner_frame)
{
	uint64_t hash = object * UINT64_C(0x9e3779b97f4a7c15) + owner_frame;

	for (unsigned int i = 0; i < count; i++) {
		hash = (hash ^ frames[i]) * UINT64_C(0xff51afd7ed558ccd);
		hash ^= hash >> 32;
	}
	return (uint32_t)hash;
}

static bool place_is(uint32_t place, uint32_t object, const uint64_t *frames, unsigned int count,
	unsigned int owner_frame)
{
	const struct session_place *record = session_record(SESSION_PLACES, place);

	return record->object == object && record->frame_count == count &&
	       record->owner_frame == owner_frame &&
	       (!count || !memcmp(session_record(SESSION_FRAMES, record->frame), frames,
				  count * sizeof(*frames)));
}

static bool index_grow(void)
{
	uint32_t size = index_size ? index_size * 2 : INDEX_LEAST;
	uint32_t *table = sys_map(size * sizeof(*table), PROT_READ | PROT_WRITE);

	if (!table)
		return false;
	for (uint32_t i = 0; i < index_size; i++) {
		uint32_t place = index_table[i], at;

		if (!place)
			continue;
		for (at = info_of(place)->hash & (size - 1); table[at];)
			at = (at + 1) & (size - 1);
		table[at] = place;
	}
	if (index_table)
		sys_unmap(index_table, index_size * sizeof(*table));
	index_table = table;
	index_size = size;
	return true;
}

static bool first_grow(uint32_t object)
{
	uint32_t size = first_size ? first_size : 256, *table;

	while (size <= object)
		size *= 2;
	table = sys_map(size * sizeof(*table), PROT_READ | PROT_WRITE);
	if (!table)
		return false;
	if (first_of) {
		memcpy(table, first_of, first_size * sizeof(*table));
		sys_unmap(first_of, first_size * sizeof(*table));
	}
	first_of = table;
	first_size = size;
	return true;
}

static uint32_t place_make(uint32_t object, const uint64_t *frames, unsigned int count,
	unsigned int owner_frame, bool cut, uint32_t hash)
{
	struct session_place record = {
		.object = object,
		.frame_count = (uint16_t)count,
		.flags = cut ? SESSION_PLACE_CUT : 0,
		.owner_frame = owner_frame,
	};
	struct place_info *info;
	uint32_t place;

	/* place 1 is the loader's: its blocks are counted nowhere else */
	while (session->table[SESSION_PLACES].record_count <= HEAP_PLACE_LOADER) {
		struct session_place loader = {0};

		if (!session_add(SESSION_PLACES, &loader))
			return 0;
	}
	record.frame = count ? session_add_frames(frames, count) : 0;
	if (count && !record.frame)
		return 0;
	place = session_add(SESSION_PLACES, &record);
	info = place && place <= META_PLACE ? info_of(place) : NULL;
	if (!info || (object >= first_size && !first_grow(object)))
		return 0;
	*info = (struct place_info){.hash = hash, .next = first_of[object]};
	first_of[object] = place;
	return place;
}

static uint32_t place_look_up(uint32_t object, const uint64_t *frames, unsigned int count,
	unsigned int owner_frame, bool cut)
{
	uint32_t hash = stack_hash(object, frames, count, owner_frame), at, place;

	if (index_used * 2 >= index_size && !index_grow())
		return 0;
	for (at = hash & (index_size - 1); index_table[at]; at = (at + 1) & (index_size - 1)) {
		place = index_table[at];
		if (info_of(place)->hash == hash &&
			place_is(place, object, frames, count, owner_frame))
			return place;
	}
	place = place_make(object, frames, count, owner_frame, cut, hash);
	if (place) {
		index_table[at] = place;
		index_used++;
	}
	return place;
}

uint32_t place_find(struct object *owner, const uintptr_t *pcs, unsigned int count,
	unsigned int owner_frame, bool cut)
{
	uint64_t frames[SETTINGS_FRAMES_MAX];
	uint32_t object = object_record(owner), place;

	if (!object)
		return 0;
	places_settle();
	for (unsigned int i = 0; i < count; i++)
		frames[i] = place_frame(pcs[i]);
	if (!lock_take(&places_lock))
		return 0;
	place = place_look_up(object, frames, count, owner_frame, cut);
	if (!place)
		place = place_look_up(object, NULL, 0, 0, true);
	lock_give(&places_lock);
	return place;
}

void place_fold(struct session_counter *counter, uint32_t place)
{
	struct session_counter was = *counter;
	struct session_place *record;

	/* the totals first: a reader may for a moment see some calls twice, never too few */
	if (was.place) {
		record = session_record(SESSION_PLACES, was.place);
		__atomic_fetch_add(&record->alloc_blocks, was.alloc_blocks, __ATOMIC_RELAXED);
		__atomic_fetch_add(&record->alloc_bytes, was.alloc_bytes, __ATOMIC_RELAXED);
		__atomic_fetch_add(&record->free_blocks, was.free_blocks, __ATOMIC_RELAXED);
		__atomic_fetch_add(&record->free_bytes, was.free_bytes, __ATOMIC_RELAXED);
	}
	*counter = (struct session_counter){.place = place};
}

void place_count_slow(uint32_t place, size_t size, bool freed)
{
	struct session_place *record = session_record(SESSION_PLACES, place);

	__atomic_fetch_add(
		freed ? &record->free_blocks : &record->alloc_blocks, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(
		freed ? &record->free_bytes : &record->alloc_bytes, size, __ATOMIC_RELAXED);
}

struct session_counters *place_counters_new(void)
{
	static const struct session_counters none;
	int32_t tid = (int32_t)lock_self(), expected;
	uint64_t count;
	uint32_t made;

	if (!session)
		return NULL;
	count = session->table[SESSION_COUNTERS].record_count;
	for (uint32_t index = 1; index < count; index++) {
		struct session_counters *counters = session_record(SESSION_COUNTERS, index);

		expected = 0;
		if (__atomic_compare_exchange_n(&counters->tid, &expected, tid, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return counters;
	}
	made = session_add(SESSION_COUNTERS, &none);
	if (!made)
		return NULL;
	expected = 0;
	/* another thread may have taken it since it is published: then do without, for now */
	return __atomic_compare_exchange_n(
		       &((struct session_counters *)session_record(SESSION_COUNTERS, made))->tid,
		       &expected, tid, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)
		       ? session_record(SESSION_COUNTERS, made)
		       : NULL;
}

void place_counters_end(struct session_counters *counters)
{
	for (unsigned int i = 0; i < SESSION_COUNTERS_ENTRIES; i++)
		if (counters->entry[i].place)
			place_fold(&counters->entry[i], 0);
	__atomic_store_n(&counters->tid, 0, __ATOMIC_RELEASE);
}

void place_totals(uint32_t place, uint64_t *blocks, uint64_t *bytes)
{
	const struct session_place *record = session_record(SESSION_PLACES, place);
	uint64_t count = session->table[SESSION_COUNTERS].record_count;

	*blocks = record->alloc_blocks;
	*bytes = record->alloc_bytes;
	for (uint32_t index = 1; index < count; index++) {
		const struct session_counters *counters = session_record(SESSION_COUNTERS, index);
		const struct session_counter *counter =
			&counters->entry[place % SESSION_COUNTERS_ENTRIES];

		if (counters->tid && counter->place == place) {
			*blocks += counter->alloc_blocks;
			*bytes += counter->alloc_bytes;
		}
	}
}

struct place_past *place_past(uint32_t place)
{
	return &info_of(place)->past;
}

uint32_t place_next(uint32_t object_record, uint32_t place)
{
	if (place)
		return info_of(place)->next;
	return object_record < first_size ? first_of[object_record] : 0;
}

static void live_count(struct span *span, void *data)
{
	for (uint32_t index = 0; index < span->count; index++) {
		uint32_t place = span->meta[index].place;
		struct session_place *record;

		if ((place & META_QUARANTINED) || (place & META_PLACE) <= HEAP_PLACE_LOADER)
			continue;
		record = session_record(SESSION_PLACES, place & META_PLACE);
		record->alloc_blocks++;
		record->alloc_bytes += span_asked(span, index);
	}
}

static void place_rebase(struct session_place *place)
{
	place->alloc_blocks = place->alloc_bytes = 0;
	place->free_blocks = place->free_bytes = 0;
	place->leaked_blocks = place->leaked_bytes = 0;
	place->reclaimed_blocks = place->reclaimed_bytes = 0;
	place->late_frees = 0;
	place->late_free_frame = 0;
}

static void generation_rebase(struct session_generation *generation)
{
	generation->leaked_blocks = generation->leaked_bytes = 0;
	generation->reclaimed_blocks = generation->reclaimed_bytes = 0;
}

static void residue_rebase(struct session_residue *residue)
{
	residue->alloc_blocks = residue->alloc_bytes = 0;
	residue->leaked_blocks = residue->leaked_bytes = 0;
	residue->reclaimed_blocks = residue->reclaimed_bytes = 0;
}

static void counters_rebase(struct session_counters *counters)
{
	memset(counters->entry, 0, sizeof(counters->entry));
}

static void rebase(void)
{
	const struct session_table_head *table = session->table;

	for (uint32_t i = 1; i < table[SESSION_COUNTERS].record_count; i++)
		counters_rebase(session_record(SESSION_COUNTERS, i));
	for (uint32_t i = 1; i < table[SESSION_PLACES].record_count; i++) {
		place_rebase(session_record(SESSION_PLACES, i));
		*place_past(i) = (struct place_past){0};
	}
	for (uint32_t i = 1; i < table[SESSION_GENERATIONS].record_count; i++)
		generation_rebase(session_record(SESSION_GENERATIONS, i));
	for (uint32_t i = 1; i < table[SESSION_RESIDUES].record_count; i++)
		residue_rebase(session_record(SESSION_RESIDUES, i));
	heap_walk(true, live_count, NULL);
}

void places_settle(void)
{
	if (!session_is_forked())
		return;
	rebase();
	balances_settle();
	session_settle();
}

/* The parent went on counting until the file was left, in places that the child does not know. */
static void strangers_drop(struct session_counters *counters)
{
	uint64_t places = session->table[SESSION_PLACES].record_count;

	for (unsigned int i = 0; i < SESSION_COUNTERS_ENTRIES; i++)
		if (counters->entry[i].place >= places)
			counters->entry[i] = (struct session_counter){0};
}

void places_fork_child(const struct session_counters *mine)
{
	uint64_t count = session ? session->table[SESSION_COUNTERS].record_count : 0;

	places_lock.owner = 0;
	for (uint32_t index = 1; index < count; index++) {
		struct session_counters *counters = session_record(SESSION_COUNTERS, index);

		strangers_drop(counters);
		if (counters->tid && counters != mine)
			place_counters_end(counters);
	}
}
