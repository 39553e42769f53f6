/* SPDX-License-Identifier: MIT */
#include "cli/session-check.h"

#include <byteswap.h>
#include <inttypes.h>
#include <string.h>

static const uint32_t record_size[SESSION_TABLES] = {
	[SESSION_STRINGS] = 1,
	[SESSION_OBJECTS] = sizeof(struct session_object),
	[SESSION_GENERATIONS] = sizeof(struct session_generation),
	[SESSION_PLACES] = sizeof(struct session_place),
	[SESSION_FRAMES] = sizeof(uint64_t),
	[SESSION_RESIDUES] = sizeof(struct session_residue),
	[SESSION_COUNTERS] = sizeof(struct session_counters),
	[SESSION_NOTES] = sizeof(struct session_note),
	[SESSION_THREADS] = sizeof(struct session_thread),
	[SESSION_STAYS] = sizeof(struct session_stay),
	[SESSION_DANGLINGS] = sizeof(struct session_dangling),
	[SESSION_BALANCES] = sizeof(struct session_balance),
	[SESSION_LEFTOVERS] = sizeof(struct session_leftover),
};

static const char *const table_name[SESSION_TABLES] = {
	"strings",
	"objects",
	"generations",
	"places",
	"frames",
	"residues",
	"counters",
	"notes",
	"threads",
	"stays",
	"danglings",
	"balances",
	"leftovers",
};

int session_check_header(const char *path, const struct session_header *header, struct error *error)
{
	if (header->magic == bswap_64(SESSION_MAGIC))
		return error_set(error, 0,
			"%s: is a session of a machine with another byte order: read it there",
			path);
	if (header->magic != SESSION_MAGIC)
		return error_set(error, 0, "%s: is not a relib session", path);
	if (header->version != SESSION_VERSION)
		return error_set(error, 0,
			"%s: is a session of format %" PRIu32
			", this relib reads format %d: use the relib that wrote it",
			path, header->version, SESSION_VERSION);
	if (header->header_size != sizeof(*header) || header->extent_size != SESSION_EXTENT_SIZE ||
		header->extent_count == 0 || header->extent_count > SESSION_EXTENTS_MAX)
		return error_set(error, 0,
			"%s: is a damaged session: its header has impossible sizes", path);
	return 0;
}

static int damaged(
	const struct session *session, const char *what, uint64_t index, struct error *error)
{
	return error_set(error, 0, "%s: is a damaged session: %s %" PRIu64 " makes no sense",
		session->path, what, index);
}

static int check_table(struct session *session, int table, uint8_t *used, struct error *error)
{
	const struct session_table_head *head = &session->header->table[table];
	uint64_t per_extent = SESSION_EXTENT_SIZE / record_size[table];
	uint32_t i;

	if (head->extent_count == 0 && head->record_count <= 1)
		return 0;
	if (head->record_size != record_size[table] || head->extent_count > SESSION_TABLE_EXTENTS ||
		head->record_count > head->extent_count * per_extent)
		return error_set(error, 0,
			"%s: is a damaged session: its table of %s has impossible sizes",
			session->path, table_name[table]);
	for (i = 0; i < head->extent_count; i++) {
		if (head->extent[i] == 0 || head->extent[i] >= session->header->extent_count ||
			used[head->extent[i]]++)
			return error_set(error, 0,
				"%s: is a damaged session: its table of %s lies at an impossible "
				"place",
				session->path, table_name[table]);
	}
	session->count[table] = head->record_count;
	return 0;
}

int session_check_tables(struct session *session, struct error *error)
{
	uint8_t used[SESSION_EXTENTS_MAX] = {0};
	uint64_t needed = (uint64_t)session->header->extent_count * SESSION_EXTENT_SIZE;
	int table;

	if (needed > session->size)
		return error_set(error, 0,
			"%s: is a truncated session: %" PRIu64 " bytes of %" PRIu64 " are there",
			session->path, (uint64_t)session->size, needed);
	for (table = 0; table < SESSION_TABLES; table++)
		if (check_table(session, table, used, error) < 0)
			return -1;
	return 0;
}

/* A string ends within its extent: records do not cross extents. */
static bool string_is_good(const struct session *session, uint32_t index)
{
	uint64_t room;

	if (index == 0)
		return true;
	if (index >= session->count[SESSION_STRINGS])
		return false;
	room = SESSION_EXTENT_SIZE - index % SESSION_EXTENT_SIZE;
	return memchr(session_record(session, SESSION_STRINGS, index), '\0', room) != NULL;
}

/* 0 says "none"; a record that belongs to no object has not been filled in yet. */
static bool index_is_good(const struct session *session, enum session_table table, uint64_t index)
{
	return index == 0 || index < session->count[table];
}

static bool frame_is_good(const struct session *session, uint64_t frame)
{
	return index_is_good(session, SESSION_OBJECTS, SESSION_FRAME_OBJECT(frame));
}

static bool object_is_good(const struct session *session, uint64_t i)
{
	const struct session_object *object = session_object(session, i);
	const char *copy;

	if (!string_is_good(session, object->path) || !string_is_good(session, object->soname) ||
		!string_is_good(session, object->copy) ||
		object->build_id_size > sizeof(object->build_id))
		return false;
	/* The name of a kept file must not lead out of the folder of kept files. */
	copy = session_string(session, object->copy);
	return !strchr(copy, '/') && strcmp(copy, "..") != 0 && strcmp(copy, ".") != 0;
}

static bool generation_is_good(const struct session *session, uint64_t i)
{
	const struct session_generation *generation = session_generation(session, i);

	return index_is_good(session, SESSION_OBJECTS, generation->object) &&
	       index_is_good(session, SESSION_GENERATIONS, generation->parent);
}

static bool stack_is_good(const struct session *session, uint32_t first, uint32_t count)
{
	uint64_t frame, end = (uint64_t)first + count;

	if (count == 0)
		return true;
	if (first == 0 || end > session->count[SESSION_FRAMES])
		return false;
	for (frame = first; frame < end; frame++)
		if (!frame_is_good(session, session_frame(session, frame)))
			return false;
	return true;
}

static bool place_is_good(const struct session *session, uint64_t i)
{
	const struct session_place *place = session_place(session, i);

	/* place 1 has no object: it stands for the loader's own allocations */
	return index_is_good(session, SESSION_OBJECTS, place->object) &&
	       frame_is_good(session, place->late_free_frame) &&
	       stack_is_good(session, place->frame, place->frame_count);
}

static bool root_is_good(const struct session *session, const struct session_root *root)
{
	switch (root->kind) {
	case SESSION_ROOT_GLOBAL:
	case SESSION_ROOT_RUNTIME:
		return index_is_good(session, SESSION_OBJECTS, root->object);
	case SESSION_ROOT_BLOCK:
		return index_is_good(session, SESSION_PLACES, root->object);
	default:
		return true;
	}
}

static bool residue_is_good(const struct session *session, uint64_t i)
{
	const struct session_residue *residue = session_residue(session, i);

	return index_is_good(session, SESSION_GENERATIONS, residue->generation) &&
	       index_is_good(session, SESSION_PLACES, residue->place) &&
	       root_is_good(session, &residue->root);
}

static bool note_is_good(const struct session *session, uint64_t i)
{
	const struct session_note *note = session_note(session, i);

	return index_is_good(session, SESSION_OBJECTS, note->object) &&
	       index_is_good(session, SESSION_PLACES, note->place) &&
	       index_is_good(session, SESSION_GENERATIONS, note->generation) &&
	       string_is_good(session, note->text) && frame_is_good(session, note->frame) &&
	       stack_is_good(session, note->stack, note->stack_count);
}

static bool thread_is_good(const struct session *session, uint64_t i)
{
	const struct session_thread *thread = session_thread(session, i);

	/* What was there before the record was given up says nothing any more. */
	if (thread->state == SESSION_THREAD_FREE)
		return true;
	return index_is_good(session, SESSION_GENERATIONS, thread->generation) &&
	       index_is_good(session, SESSION_GENERATIONS, thread->blocks) &&
	       index_is_good(session, SESSION_PLACES, thread->place) &&
	       frame_is_good(session, thread->start) &&
	       stack_is_good(session, thread->stack, thread->stack_count);
}

static bool stay_is_good(const struct session *session, uint64_t i)
{
	const struct session_stay *stay = session_stay(session, i);

	return index_is_good(session, SESSION_GENERATIONS, stay->generation) &&
	       index_is_good(session, SESSION_OBJECTS, stay->object) &&
	       index_is_good(session, SESSION_THREADS, stay->thread) &&
	       string_is_good(session, stay->text) &&
	       stack_is_good(session, stay->stack, stay->stack_count);
}

static bool dangling_is_good(const struct session *session, uint64_t i)
{
	const struct session_dangling *dangling = session_dangling(session, i);

	return index_is_good(session, SESSION_GENERATIONS, dangling->generation) &&
	       index_is_good(session, SESSION_PLACES, dangling->place) &&
	       string_is_good(session, dangling->text) && root_is_good(session, &dangling->root);
}

static bool balance_is_good(const struct session *session, uint64_t i)
{
	const struct session_balance *balance = session_balance(session, i);

	return index_is_good(session, SESSION_GENERATIONS, balance->generation) &&
	       index_is_good(session, SESSION_PLACES, balance->place);
}

static bool leftover_is_good(const struct session *session, uint64_t i)
{
	const struct session_leftover *leftover = session_leftover(session, i);

	return index_is_good(session, SESSION_BALANCES, leftover->balance) &&
	       string_is_good(session, leftover->text) && string_is_good(session, leftover->why) &&
	       root_is_good(session, &leftover->root);
}

int session_check_records(const struct session *session, struct error *error)
{
	static const struct {
		enum session_table table;
		const char *name;
		bool (*is_good)(const struct session *session, uint64_t i);
	} checks[] = {
		{SESSION_OBJECTS, "object", object_is_good},
		{SESSION_GENERATIONS, "generation", generation_is_good},
		{SESSION_PLACES, "place", place_is_good},
		{SESSION_RESIDUES, "residue", residue_is_good},
		{SESSION_NOTES, "note", note_is_good},
		{SESSION_THREADS, "thread", thread_is_good},
		{SESSION_STAYS, "stay", stay_is_good},
		{SESSION_DANGLINGS, "dangling pointer", dangling_is_good},
		{SESSION_BALANCES, "balance", balance_is_good},
		{SESSION_LEFTOVERS, "leftover", leftover_is_good},
	};
	const struct session_header *header = session->header;
	uint64_t i;
	size_t k;

	for (k = 0; k < sizeof(checks) / sizeof(checks[0]); k++)
		for (i = 1; i < session->count[checks[k].table]; i++)
			if (!checks[k].is_good(session, i))
				return damaged(session, checks[k].name, i, error);
	if (!index_is_good(session, SESSION_OBJECTS, header->host_object) ||
		!string_is_good(session, header->command_line) ||
		!string_is_good(session, header->run_id))
		return damaged(session, "its header, version", header->version, error);
	return 0;
}
