/* SPDX-License-Identifier: MIT */
/*
 * Prints what a session's records say of threads, one record a line:
 *
 *	place FILE OFFSET STARTED ENDED		OFFSET: of the call, in hex
 *	thread STATE TID FILE NUMBER NAME START	owner; START: FILE:OFFSET of the routine
 *	generation FILE NUMBER STATE LOCALS-RUN LOCALS-DROPPED KEYS-DELETED KEY-VALUES-RUN
 *	records THREADS				records of threads, used or not
 *	bytes SIZE				of the session
 */
#include "shim/session-format.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *data;

#define HEADER ((const struct session_header *)data)

static const void *record(enum session_table table, uint64_t index)
{
	const struct session_table_head *head = &HEADER->table[table];
	uint64_t per_extent = SESSION_EXTENT_SIZE / head->record_size;

	return data + (size_t)head->extent[index / per_extent] * SESSION_EXTENT_SIZE +
	       index % per_extent * head->record_size;
}

static const char *path_of(uint32_t object)
{
	const struct session_object *found = record(SESSION_OBJECTS, object);

	return object ? (const char *)record(SESSION_STRINGS, found->path) : "?";
}

static void place_print(const struct session_place *place)
{
	const uint64_t *frame = record(SESSION_FRAMES, place->frame + place->owner_frame);

	if (place->frame_count)
		printf("place %s %#llx %llu %llu\n", path_of(SESSION_FRAME_OBJECT(*frame)),
			(unsigned long long)SESSION_FRAME_OFFSET(*frame) - 1,
			(unsigned long long)place->threads_started,
			(unsigned long long)place->threads_ended);
}

static void thread_print(const struct session_thread *thread)
{
	const struct session_generation *owner = record(SESSION_GENERATIONS, thread->generation);

	printf("thread %u %d %s %u %s %s:%#llx\n", thread->state, thread->tid,
		path_of(thread->generation ? owner->object : 0),
		thread->generation ? owner->number : 0, *thread->name ? thread->name : "-",
		path_of(SESSION_FRAME_OBJECT(thread->start)),
		(unsigned long long)SESSION_FRAME_OFFSET(thread->start) - 1);
}

static void generation_print(const struct session_generation *generation)
{
	printf("generation %s %u %u %u %u %u %u\n", path_of(generation->object),
		generation->number, generation->state, generation->locals_run,
		generation->locals_dropped, generation->keys_deleted, generation->key_values_run);
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1;
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0)
		return 1;
	data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED || HEADER->magic != SESSION_MAGIC)
		return 1;
	for (uint64_t i = 1; i < HEADER->table[SESSION_PLACES].record_count; i++) {
		const struct session_place *place = record(SESSION_PLACES, i);

		if (place->threads_started || place->threads_ended)
			place_print(place);
	}
	for (uint64_t i = 1; i < HEADER->table[SESSION_THREADS].record_count; i++) {
		const struct session_thread *thread = record(SESSION_THREADS, i);

		if (thread->state != SESSION_THREAD_FREE)
			thread_print(thread);
	}
	for (uint64_t i = 1; i < HEADER->table[SESSION_GENERATIONS].record_count; i++)
		generation_print(record(SESSION_GENERATIONS, i));
	printf("records %llu\n",
		(unsigned long long)HEADER->table[SESSION_THREADS].record_count - 1);
	printf("bytes %llu\n", (unsigned long long)HEADER->extent_count * SESSION_EXTENT_SIZE);
	return 0;
}
