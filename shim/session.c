/* SPDX-License-Identifier: MIT */
/* Tables and records; session-file.c has the file below them. */
#include <string.h>
#include <time.h>

#include "shim/lock.h"
#include "shim/session-file.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/sys.h"

#define STRING_MAX 4000u
#define NOTES_MAX 1024u

struct session_header *session;

static struct lock session_lock;
static bool open_failed;

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

uint64_t session_clock(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void *session_record(enum session_table table, uint32_t index)
{
	uint32_t size = record_size[table], per_extent = SESSION_EXTENT_SIZE / size;

	return (char *)session +
	       (size_t)session->table[table].extent[index / per_extent] * SESSION_EXTENT_SIZE +
	       (size_t)(index % per_extent) * size;
}

/* Its older extents are seldom written to again, and need not be kept in memory. */
static bool grows_with_loads(enum session_table table)
{
	return table == SESSION_GENERATIONS || table == SESSION_RESIDUES ||
	       table == SESSION_DANGLINGS || table == SESSION_BALANCES ||
	       table == SESSION_LEFTOVERS || table == SESSION_STRINGS;
}

static void tables_rest(void)
{
	for (unsigned int table = 0; table < SESSION_TABLES; table++) {
		const struct session_table_head *head = &session->table[table];

		if (grows_with_loads(table) && head->extent_count)
			session_file_rest(head->extent, head->extent_count - 1);
	}
}

/* Room for count records in one piece; the index of the first, or 0. */
static uint32_t table_reserve(enum session_table table, uint32_t count)
{
	struct session_table_head *head = &session->table[table];
	uint32_t per_extent = SESSION_EXTENT_SIZE / head->record_size, extent;
	uint64_t index = head->record_count;

	if (index % per_extent + count > per_extent)
		index += per_extent - index % per_extent;
	if (index / per_extent >= SESSION_TABLE_EXTENTS) {
		session->flags |= SESSION_FULL;
		return 0;
	}
	while (index / per_extent >= head->extent_count) {
		extent = session_file_grow();
		if (!extent) {
			session->flags |= SESSION_FULL;
			return 0;
		}
		if (grows_with_loads(table))
			tables_rest();
		head->extent[head->extent_count] = (uint16_t)extent;
		__atomic_store_n(&head->extent_count, head->extent_count + 1, __ATOMIC_RELEASE);
	}
	return (uint32_t)index;
}

static void table_publish(enum session_table table, uint32_t end)
{
	__atomic_store_n(&session->table[table].record_count, end, __ATOMIC_RELEASE);
}

static uint32_t add_many(enum session_table table, const void *records, uint32_t count)
{
	uint32_t index;

	if (!session || !count || !lock_take(&session_lock))
		return 0;
	index = table_reserve(table, count);
	if (index) {
		if (records)
			memcpy(session_record(table, index), records,
				(size_t)count * record_size[table]);
		table_publish(table, index + count);
	}
	lock_give(&session_lock);
	return index;
}

uint32_t session_add(enum session_table table, const void *record)
{
	return add_many(table, record, 1);
}

uint32_t session_add_frames(const uint64_t *frames, unsigned int count)
{
	return add_many(SESSION_FRAMES, frames, count);
}

uint32_t session_string(const char *text, size_t length)
{
	uint32_t index;
	char *to;

	if (length > STRING_MAX)
		length = STRING_MAX;
	if (!session || !lock_take(&session_lock))
		return 0;
	index = table_reserve(SESSION_STRINGS, (uint32_t)length + 1);
	if (index) {
		to = session_record(SESSION_STRINGS, index);
		memcpy(to, text, length);
		to[length] = 0;
		table_publish(SESSION_STRINGS, index + (uint32_t)length + 1);
	}
	lock_give(&session_lock);
	return index;
}

static struct session_note *note_find(const struct session_note *like, const char *text)
{
	uint64_t count = session->table[SESSION_NOTES].record_count;

	for (uint32_t index = 1; index < count; index++) {
		struct session_note *note = session_record(SESSION_NOTES, index);

		if (note->kind == like->kind && note->object == like->object &&
			note->place == like->place && note->frame == like->frame &&
			note->generation == like->generation && note->thread == like->thread &&
			!strcmp(note->text ? session_record(SESSION_STRINGS, note->text) : "",
				text))
			return note;
	}
	return NULL;
}

void session_note_add(const struct session_note *like, const char *text)
{
	struct session_note *found, note = *like;

	if (!session)
		return;
	found = note_find(like, text ? text : "");
	if (found) {
		__atomic_fetch_add(&found->count, 1, __ATOMIC_RELAXED);
		return;
	}
	if (session->table[SESSION_NOTES].record_count >= NOTES_MAX)
		return;
	note.text = text && *text ? session_string(text, strlen(text)) : 0;
	note.count = 1;
	note.first_ns = session_clock();
	session_add(SESSION_NOTES, &note);
}

void session_note(enum session_note_kind kind, uint32_t object, uint32_t place, uint64_t frame,
	const char *text)
{
	struct session_note like = {.kind = kind, .object = object, .place = place, .frame = frame};

	session_note_add(&like, text);
}

static void header_fill(struct session_header *header)
{
	header->version = SESSION_VERSION;
	header->header_size = sizeof(*header);
	header->extent_size = SESSION_EXTENT_SIZE;
	header->state = SESSION_RUNNING;
	header->frames_wanted = settings.frames;
	header->leaks_policy = settings.leaks;
	header->threads_policy = settings.threads;
	header->timeout_ms = settings.timeout_ms;
	header->fds_policy = settings.fds;
	header->names_policy = settings.names;
	header->started_ns = session_clock();
	for (unsigned int table = 0; table < SESSION_TABLES; table++) {
		header->table[table].record_size = record_size[table];
		header->table[table].record_count = 1;
	}
}

/* The arguments, joined by blanks, as the kernel keeps them. */
static uint32_t command_line_read(void)
{
	static char text[STRING_MAX];
	int fd = (int)sys_open("/proc/self/cmdline", O_RDONLY, 0);
	long length = fd < 0 ? 0 : sys_read(fd, text, sizeof(text));

	if (fd >= 0)
		sys_close(fd);
	while (length > 0 && !text[length - 1])
		length--;
	for (long i = 0; i < length; i++)
		if (!text[i])
			text[i] = ' ';
	return length > 0 ? session_string(text, (size_t)length) : 0;
}

/* Field 22 of /proc/self/stat, counted from behind the name. */
static uint64_t start_ticks_read(void)
{
	char text[1024];
	int fd = (int)sys_open("/proc/self/stat", O_RDONLY, 0);
	long length = fd < 0 ? 0 : sys_read(fd, text, sizeof(text) - 1);
	uint64_t ticks = 0;
	unsigned int field = 2;
	long at;

	if (fd >= 0)
		sys_close(fd);
	for (at = length - 1; at >= 0 && text[at] != ')';)
		at--;
	for (; at >= 0 && at < length && field < 22; at++)
		field += text[at] == ' ';
	for (; at >= 0 && at < length && text[at] >= '0' && text[at] <= '9'; at++)
		ticks = ticks * 10 + (uint64_t)(text[at] - '0');
	return ticks;
}

static void identity_fill(void)
{
	session->pid = (int32_t)sys_call(SYS_getpid, 0, 0, 0);
	session->start_ticks = start_ticks_read();
	session->command_line = command_line_read();
	session->run_id = *settings.run ? session_string(settings.run, strlen(settings.run)) : 0;
}

bool session_open(void)
{
	struct session_header *made;

	if (session)
		return true;
	if (open_failed || !lock_take(&session_lock))
		return false;
	made = session ? session : session_file_make();
	if (!made)
		open_failed = true;
	if (made && !session) {
		header_fill(made);
		__atomic_store_n(&session, made, __ATOMIC_RELEASE);
		lock_give(&session_lock);
		identity_fill();
		/* last: without it no reader takes the file for a session */
		__atomic_store_n(&session->magic, SESSION_MAGIC, __ATOMIC_RELEASE);
		return true;
	}
	lock_give(&session_lock);
	return made != NULL;
}

void session_limit(size_t most)
{
	if (!session || !lock_take(&session_lock))
		return;
	session_file_limit(most);
	lock_give(&session_lock);
}

void session_close(void)
{
	if (!session)
		return;
	session->ended_ns = session_clock();
	session->state = SESSION_EXITED;
}

/*
 * What the child inherits.  The file is shared memory, in which the parent goes
 * on adding before the child has its copy: extents that the child has not
 * mapped, and records that its own memory knows nothing of.
 */
static struct {
	uint32_t extents;
	uint32_t table_extents[SESSION_TABLES];
	uint64_t records[SESSION_TABLES];
} inherited;

void session_fork_prepare(void)
{
	lock_take(&session_lock);
	for (unsigned int table = 0; session && table < SESSION_TABLES; table++) {
		inherited.records[table] = session->table[table].record_count;
		inherited.table_extents[table] = session->table[table].extent_count;
	}
	inherited.extents = session ? session->extent_count : 0;
}

/* Takes back what the parent added after the fork. */
static void inherited_restore(void)
{
	session->extent_count = inherited.extents;
	for (unsigned int table = 0; table < SESSION_TABLES; table++) {
		session->table[table].record_count = inherited.records[table];
		session->table[table].extent_count = inherited.table_extents[table];
	}
	for (uint32_t index = 1; index < inherited.records[SESSION_GENERATIONS]; index++) {
		struct session_generation *record = session_record(SESSION_GENERATIONS, index);

		if ((uint64_t)record->residue_first + record->residue_count <=
			inherited.records[SESSION_RESIDUES])
			continue;
		record->state = SESSION_LOADED;
		record->unloaded_ns = 0;
		record->residue_first = record->residue_count = 0;
		record->leaked_blocks = record->leaked_bytes = 0;
		record->reclaimed_blocks = record->reclaimed_bytes = 0;
	}
}

void session_fork_parent(void)
{
	if (lock_is_mine(&session_lock))
		lock_give(&session_lock);
}

void session_fork_child(void)
{
	session_lock.owner = 0;
	if (!session)
		return;
	session_file_detach(inherited.extents);
	inherited_restore();
	session->parent_pid = session->pid;
	session->pid = (int32_t)sys_call(SYS_getpid, 0, 0, 0);
	session->flags |= SESSION_FORKED;
	session->started_ns = session_clock();
}

bool session_is_forked(void)
{
	return session && session_file_detached();
}

void session_settle(void)
{
	if (!session || !session_file_detached() || !lock_take(&session_lock))
		return;
	session->start_ticks = start_ticks_read();
	session_file_attach();
	lock_give(&session_lock);
}
