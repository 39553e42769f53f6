/* SPDX-License-Identifier: MIT */
/*
 * The session's record of an object: which file, with which content.  A
 * tracked module's file is kept beside the sessions, so that its names stay
 * right when the plugin is rebuilt or deleted.
 */
#include <errno.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/loader.h"
#include "shim/lock.h"
#include "shim/object-copy.h"
#include "shim/object-image.h"
#include "shim/session.h"

#define LISTS 256u

struct known {
	struct known *next;
	uint32_t record;
};

static struct known *lists[LISTS];
static struct lock record_lock;

static struct known **list_of(const char *path)
{
	uint32_t hash = 5381;

	for (; *path; path++)
		hash = hash * 33 + (unsigned char)*path;
	return &lists[hash % LISTS];
}

static bool record_is(uint32_t index, const char *path, const struct session_object *wanted)
{
	const struct session_object *record = session_record(SESSION_OBJECTS, index);

	return record->build_id_size == wanted->build_id_size &&
	       !memcmp(record->build_id, wanted->build_id, sizeof(record->build_id)) &&
	       record->content_hash == wanted->content_hash &&
	       !strcmp(session_record(SESSION_STRINGS, record->path), path);
}

static void build_id_fill(struct session_object *record, const struct object *object)
{
	size_t size;
	const unsigned char *id = image_build_id(object, &size);

	if (!id || size > sizeof(record->build_id))
		return;
	memcpy(record->build_id, id, size);
	record->build_id_size = (uint32_t)size;
}

static uint32_t kind_of(const struct object *object, bool tracked)
{
	static const uint8_t kinds[] = {
		[CODE_UNKNOWN] = SESSION_OBJECT_HOST,
		[CODE_HOST] = SESSION_OBJECT_HOST,
		[CODE_MODULE] = SESSION_OBJECT_MODULE,
		[CODE_RUNTIME] = SESSION_OBJECT_RUNTIME,
		[CODE_LOADER] = SESSION_OBJECT_LOADER,
		[CODE_SHIM] = SESSION_OBJECT_SHIM,
	};

	if (tracked)
		return object->class == CODE_RUNTIME ? SESSION_OBJECT_RUNTIME
						     : SESSION_OBJECT_MODULE;
	return kinds[object->class];
}

static uint32_t record_make(
	const struct object *object, const char *path, struct session_object *record)
{
	const char *soname = image_soname(object);
	struct known **list = list_of(path), *known;

	record->path = session_string(path, strlen(path));
	record->soname = soname ? session_string(soname, strlen(soname)) : 0;
	known = arena_take(sizeof(*known));
	if (!known || !record->path)
		return 0;
	known->record = session_add(SESSION_OBJECTS, record);
	if (!known->record)
		return 0;
	known->next = *list;
	*list = known;
	return known->record;
}

static uint32_t record_find(const struct object *object, bool tracked)
{
	static char path[4096]; /* under the lock; a thread's stack may be small */
	struct session_object record = {.base = object->bias};
	struct known *known;

	loader_real_path(object->name, path, sizeof(path));
	build_id_fill(&record, object);
	if (tracked && !record.build_id_size)
		record.content_hash = object_file_hash(path);
	for (known = *list_of(path); known; known = known->next)
		if (record_is(known->record, path, &record))
			break;
	if (known) {
		((struct session_object *)session_record(SESSION_OBJECTS, known->record))->base =
			object->bias;
		return known->record;
	}
	record.kind = kind_of(object, tracked);
	record.size = object->end - object->start;
	if (tracked)
		object_file_keep(object, path, &record);
	return record_make(object, path, &record);
}

static uint32_t record_get(struct object *object, bool tracked)
{
	struct object *program;

	if (object->record || !session_open() || !lock_take(&record_lock))
		return object->record;
	if (!session->host_object && (program = objects_program())) {
		program->record = record_find(program, false);
		session->host_object = program->record;
	}
	if (!object->record)
		object->record = record_find(object, tracked);
	lock_give(&record_lock);
	return object->record;
}

uint32_t object_record(struct object *object)
{
	return record_get(object, false);
}

uint32_t object_record_tracked(struct object *object)
{
	return record_get(object, true);
}

void object_record_fork_child(void)
{
	record_lock.owner = 0;
}
