/* SPDX-License-Identifier: MIT */
#include "tests/unit/session-maker.h"

#include <stdio.h>
#include <stdlib.h>
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

struct session_header *maker_header(struct session_maker *maker)
{
	return (struct session_header *)maker->data;
}

static uint32_t extent_add(struct session_maker *maker)
{
	maker->data = realloc(maker->data, maker->size + SESSION_EXTENT_SIZE);
	if (!maker->data)
		abort();
	memset(maker->data + maker->size, 0, SESSION_EXTENT_SIZE);
	maker->size += SESSION_EXTENT_SIZE;
	return maker_header(maker)->extent_count++;
}

void *maker_record(struct session_maker *maker, enum session_table table, uint64_t index)
{
	struct session_table_head *head = &maker_header(maker)->table[table];
	uint64_t per_extent = SESSION_EXTENT_SIZE / record_size[table];

	while (index / per_extent >= head->extent_count) {
		uint32_t extent = extent_add(maker);

		head = &maker_header(maker)->table[table];
		head->extent[head->extent_count++] = extent;
	}
	return maker->data + (size_t)head->extent[index / per_extent] * SESSION_EXTENT_SIZE +
	       index % per_extent * record_size[table];
}

void maker_start(struct session_maker *maker)
{
	struct session_header *header;
	int table;

	*maker = (struct session_maker){0};
	extent_add(maker);
	header = maker_header(maker);
	header->magic = SESSION_MAGIC;
	header->version = SESSION_VERSION;
	header->header_size = sizeof(*header);
	header->extent_size = SESSION_EXTENT_SIZE;
	header->state = SESSION_EXITED;
	header->pid = 4321;
	header->start_ticks = 77;
	header->started_ns = UINT64_C(1700000000000000000);
	header->ended_ns = UINT64_C(1700000001500000000);
	header->frames_wanted = 16;
	for (table = 0; table < SESSION_TABLES; table++) {
		header = maker_header(maker);
		header->table[table].record_size = record_size[table];
		header->table[table].record_count = 1;
		maker_record(maker, table, 0);
	}
}

void maker_end(struct session_maker *maker)
{
	free(maker->data);
	*maker = (struct session_maker){0};
}

uint32_t maker_add(struct session_maker *maker, enum session_table table, const void *record)
{
	uint32_t index = maker_header(maker)->table[table].record_count;

	memcpy(maker_record(maker, table, index), record, record_size[table]);
	maker_header(maker)->table[table].record_count++;
	return index;
}

uint32_t maker_string(struct session_maker *maker, const char *text)
{
	uint64_t index = maker_header(maker)->table[SESSION_STRINGS].record_count;
	size_t size = strlen(text) + 1;

	if (index / SESSION_EXTENT_SIZE != (index + size - 1) / SESSION_EXTENT_SIZE)
		index += SESSION_EXTENT_SIZE - index % SESSION_EXTENT_SIZE;
	memcpy(maker_record(maker, SESSION_STRINGS, index), text, size);
	maker_header(maker)->table[SESSION_STRINGS].record_count = index + size;
	return index;
}

uint32_t maker_object(struct session_maker *maker, const char *path, unsigned int kind)
{
	struct session_object object = {.kind = kind};

	object.path = maker_string(maker, path);
	return maker_add(maker, SESSION_OBJECTS, &object);
}

uint32_t maker_stack(struct session_maker *maker, const uint64_t *frames, int count)
{
	uint32_t first = 0;
	int i;

	for (i = 0; i < count; i++) {
		uint32_t frame = maker_add(maker, SESSION_FRAMES, &frames[i]);

		if (i == 0)
			first = frame;
	}
	return first;
}

uint32_t maker_place(
	struct session_maker *maker, uint32_t object, const uint64_t *frames, int count)
{
	struct session_place place = {.object = object, .frame_count = count};

	place.frame = maker_stack(maker, frames, count);
	return maker_add(maker, SESSION_PLACES, &place);
}

static uint32_t sample_generation(
	struct session_maker *maker, uint32_t object, uint32_t number, uint32_t parent)
{
	struct session_generation generation = {
		.object = object,
		.number = number,
		.parent = parent,
		.state = SESSION_UNLOADED,
		.base = 0x7f0000000000,
		.loaded_ns = UINT64_C(1700000000100000000) + number,
		.unloaded_ns = UINT64_C(1700000000200000000) + number,
		.stop = SESSION_STOP_PTRACE,
		.threads = 2,
		.stop_ns = 130000,
		.look_ns = 90000,
		.looked_bytes = 1 << 20,
	};

	if (!parent) {
		generation.leaked_blocks = 1;
		generation.leaked_bytes = 64;
		generation.reclaimed_blocks = 1;
		generation.reclaimed_bytes = 64;
		generation.kept_blocks = number == 3;
		generation.kept_bytes = number == 3 ? 1000 : 0;
	}
	return maker_add(maker, SESSION_GENERATIONS, &generation);
}

static void sample_leak(struct session_maker *maker, uint32_t place, const uint32_t *generations)
{
	struct session_place *record = maker_record(maker, SESSION_PLACES, place);
	struct session_residue residue = {
		.place = place,
		.alloc_blocks = 1,
		.alloc_bytes = 64,
		.leaked_blocks = 1,
		.leaked_bytes = 64,
		.reclaimed_blocks = 1,
		.reclaimed_bytes = 64,
	};
	int i;

	record->alloc_blocks = 3;
	record->alloc_bytes = 192;
	record->leaked_blocks = 3;
	record->leaked_bytes = 192;
	record->reclaimed_blocks = 3;
	record->reclaimed_bytes = 192;
	for (i = 0; i < 3; i++) {
		residue.generation = generations[i];
		maker_add(maker, SESSION_RESIDUES, &residue);
	}
}

static void sample_kept(
	struct session_maker *maker, uint32_t place, uint32_t generation, uint32_t host)
{
	struct session_place *record = maker_record(maker, SESSION_PLACES, place);
	struct session_counters counters = {.tid = 4321};
	struct session_residue residue = {
		.generation = generation,
		.place = place,
		.alloc_blocks = 1,
		.alloc_bytes = 1000,
		.kept_blocks = 1,
		.kept_bytes = 1000,
		.root = {.kind = SESSION_ROOT_GLOBAL, .object = host, .offset = 0x4010},
	};

	record->kept_blocks = 1;
	record->kept_bytes = 1000;
	counters.entry[5] = (struct session_counter){.place = place,
		.alloc_blocks = 4,
		.alloc_bytes = 4000,
		.free_blocks = 3,
		.free_bytes = 3000};
	maker_add(maker, SESSION_COUNTERS, &counters);
	maker_add(maker, SESSION_RESIDUES, &residue);
}

static void sample_notes(
	struct session_maker *maker, uint32_t object, uint32_t place, uint32_t host)
{
	struct session_note note = {
		.kind = SESSION_NOTE_LATE_FREE,
		.object = object,
		.place = place,
		.frame = SESSION_FRAME(host, 0x1234),
		.count = 2,
		.first_ns = UINT64_C(1700000000300000000),
	};

	maker_add(maker, SESSION_NOTES, &note);
	note = (struct session_note){.kind = SESSION_NOTE_DEEPBIND, .object = object, .count = 1};
	note.text = maker_string(maker, "libextra.so");
	maker_add(maker, SESSION_NOTES, &note);
}

void maker_sample(struct session_maker *maker, const char *plugin, uint64_t code, uint64_t code2)
{
	uint32_t host, object, helper, generation[3], place, i;
	uint64_t frames[3];

	maker_start(maker);
	host = maker_object(maker, "/nonexistent/bin/host", SESSION_OBJECT_HOST);
	object = maker_object(maker, plugin, SESSION_OBJECT_MODULE);
	helper = maker_object(maker, "/nonexistent/libhelper.so", SESSION_OBJECT_MODULE);
	maker_header(maker)->host_object = host;
	i = maker_string(maker, "host --fast");
	maker_header(maker)->command_line = i;
	for (i = 0; i < 3; i++)
		generation[i] = sample_generation(maker, object, i + 1, 0);
	sample_generation(maker, helper, 1, generation[0]);
	frames[0] = SESSION_FRAME(object, code);
	frames[1] = SESSION_FRAME(host, 0x1111);
	place = maker_place(maker, object, frames, 2);
	sample_leak(maker, place, generation);
	frames[0] = SESSION_FRAME(object, code2);
	place = maker_place(maker, object, frames, 2);
	sample_kept(maker, place, generation[2], host);
	sample_notes(maker, object, place, host);
}

/* In the sample: objects 1 the host, 2 the plugin, 3 its helper; place 1 of the plugin. */
#define HOST 1
#define PLUGIN 2
#define HELPER 3
#define PLACE 1

static uint32_t sample_thread(
	struct session_maker *maker, int32_t tid, const char *name, uint32_t generation)
{
	const uint64_t frames[] = {SESSION_FRAME(HOST, 0x2000), SESSION_FRAME(PLUGIN, 0x1300),
		SESSION_FRAME(HOST, 0x1111)};
	struct session_thread thread = {
		.state = SESSION_THREAD_RUNNING,
		.tid = tid,
		.generation = generation,
		.place = generation ? PLACE : 0,
		.start = generation ? SESSION_FRAME(PLUGIN, 0x1400) : 0,
		.started_ns = UINT64_C(1700000000400000000),
		.blocks = 3,
		.stack_count = 3,
		.module_frame = generation ? 3 : 1,
	};

	snprintf(thread.name, sizeof(thread.name), "%s", name);
	thread.stack = maker_stack(maker, frames, 3);
	return maker_add(maker, SESSION_THREADS, &thread);
}

static void sample_stays(struct session_maker *maker, uint32_t own, uint32_t foreign)
{
	const uint64_t frames[] = {SESSION_FRAME(HOST, 0x3000), SESSION_FRAME(HOST, 0x1111)};
	const struct session_stay stays[] = {
		{.kind = SESSION_STAY_NODELETE_FILE},
		{.kind = SESSION_STAY_NODELETE_OPEN, .stack_count = 2},
		{.kind = SESSION_STAY_UNIQUE, .object = HOST},
		{.kind = SESSION_STAY_OPEN, .count = 2},
		{.kind = SESSION_STAY_OPENED_FROM, .count = 1, .stack_count = 2},
		{.kind = SESSION_STAY_NEEDED, .object = HELPER},
		{.kind = SESSION_STAY_BOUND, .object = HELPER},
		{.kind = SESSION_STAY_LOCALS, .count = 3},
		{.kind = SESSION_STAY_THREAD, .thread = own},
		{.kind = SESSION_STAY_THREAD, .thread = foreign},
		{.kind = SESSION_STAY_TIMEOUT},
		{.kind = SESSION_STAY_UNKNOWN},
	};
	size_t i;

	for (i = 0; i < sizeof(stays) / sizeof(stays[0]); i++) {
		struct session_stay stay = stays[i];

		stay.generation = 3;
		stay.current = stay.kind != SESSION_STAY_UNKNOWN;
		if (stay.kind == SESSION_STAY_UNIQUE)
			stay.text = maker_string(maker, "_ZN5stats5countE");
		if (stay.kind == SESSION_STAY_BOUND)
			stay.text = maker_string(maker, "plugin_init");
		if (stay.stack_count)
			stay.stack = maker_stack(maker, frames, 2);
		maker_add(maker, SESSION_STAYS, &stay);
	}
}

static void sample_danglings(struct session_maker *maker)
{
	static const struct {
		struct session_dangling record;
		const char *text;
	} danglings[] = {
		{{.kind = SESSION_DANGLING_MEMORY,
			 .count = 2,
			 .root = {.kind = SESSION_ROOT_STACK, .object = 99, .address = 0x7ffe10}},
			NULL},
		{{.kind = SESSION_DANGLING_MEMORY,
			 .root = {.kind = SESSION_ROOT_GLOBAL, .object = HOST, .offset = 0x4040}},
			NULL},
		{{.kind = SESSION_DANGLING_MEMORY,
			 .count = 3,
			 .root = {.kind = SESSION_ROOT_HEAP, .address = 0x5500}},
			NULL},
		{{.kind = SESSION_DANGLING_MEMORY,
			 .root = {.kind = SESSION_ROOT_RUNTIME, .object = HOST, .offset = 0x5000}},
			NULL},
		{{.kind = SESSION_DANGLING_SIGNAL, .number = 10, .taken_back = 1, .place = PLACE},
			NULL},
		{{.kind = SESSION_DANGLING_TIMER, .taken_back = 1}, NULL},
		{{.kind = SESSION_DANGLING_ON_EXIT, .taken_back = 1}, NULL},
		{{.kind = SESSION_DANGLING_QUICK_EXIT, .taken_back = 1}, NULL},
		{{.kind = SESSION_DANGLING_ENVIRON, .taken_back = 1}, "FOO=bar"},
		{{.kind = SESSION_DANGLING_BUFFER, .taken_back = 1}, "stdout"},
		{{.kind = SESSION_DANGLING_OPENLOG}, "my plugin"},
	};
	size_t i;

	for (i = 0; i < 2 * sizeof(danglings) / sizeof(danglings[0]); i++) {
		struct session_dangling dangling = danglings[i / 2].record;

		dangling.generation = 1 + i % 2;
		dangling.target = 0x1500;
		if (!dangling.count)
			dangling.count = 1;
		if (danglings[i / 2].text)
			dangling.text = maker_string(maker, danglings[i / 2].text);
		maker_add(maker, SESSION_DANGLINGS, &dangling);
	}
}

static void sample_warnings(struct session_maker *maker)
{
	const uint64_t frames[] = {SESSION_FRAME(HOST, 0x2222), SESSION_FRAME(HOST, 0x1111)};
	struct session_note note = {
		.kind = SESSION_NOTE_LATE_CALL,
		.object = PLUGIN,
		.generation = 1,
		.frame = SESSION_FRAME(PLUGIN, 0x1500),
		.count = 2,
		.first_ns = UINT64_C(1700000000500000000),
		.thread = 4321,
		.stack_count = 2,
	};

	note.stack = maker_stack(maker, frames, 2);
	maker_add(maker, SESSION_NOTES, &note);
	note.kind = SESSION_NOTE_TIMEOUT;
	note.object = 0;
	note.generation = 3;
	note.frame = 0;
	note.count = 1;
	note.text = maker_string(maker, "main");
	note.stack = maker_stack(maker, frames, 2);
	maker_add(maker, SESSION_NOTES, &note);
	note.thread = 4322;
	note.text = maker_string(maker, "worker");
	note.stack = maker_stack(maker, frames, 2);
	maker_add(maker, SESSION_NOTES, &note);
}

void maker_sample_unloading(struct session_maker *maker)
{
	struct session_generation *generation = maker_record(maker, SESSION_GENERATIONS, 3);
	struct session_place *place = maker_record(maker, SESSION_PLACES, PLACE);
	uint32_t own, foreign, i;

	maker_header(maker)->threads_policy = SESSION_THREADS_DEFER;
	maker_header(maker)->timeout_ms = 10000;
	generation->state = SESSION_LOADED;
	generation->closing = SESSION_DEFERRED;
	generation->unloaded_ns = 0;
	generation->how = SESSION_WAS_DEFERRED | SESSION_TIMED_OUT;
	generation->deferrals = 2;
	generation->revivals = 1;
	generation->opens = 3;
	generation->closes = 2;
	for (i = 1; i < 3; i++) {
		generation = maker_record(maker, SESSION_GENERATIONS, i);
		generation->how = SESSION_FINALIZED_EARLY | SESSION_GUARDED;
		generation->locals_run = 2;
		generation->locals_dropped = 1;
		generation->keys_deleted = 1;
		generation->key_values_run = 1;
		generation->dangling = 11;
		generation->taken_back = 6;
	}
	place->threads_started = 10;
	place->threads_ended = 9;
	own = sample_thread(maker, 4322, "worker", 3);
	foreign = sample_thread(maker, 4323, "pool-1", 0);
	sample_stays(maker, own, foreign);
	sample_danglings(maker);
	sample_warnings(maker);
}

int maker_write(const struct session_maker *maker, const char *path)
{
	FILE *out = fopen(path, "w");
	int result = -1;

	if (!out)
		return -1;
	if (fwrite(maker->data, 1, maker->size, out) == maker->size)
		result = 0;
	return fclose(out) == 0 ? result : -1;
}
