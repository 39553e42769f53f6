/* SPDX-License-Identifier: MIT */
#include "elf/closure.h"

#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

#define OBJECT_MAX 4096

void closure_begin(struct closure *closure, const struct library_search *search)
{
	memset(closure, 0, sizeof(*closure));
	closure->search = search;
}

const struct closure_object *closure_named(const struct closure *closure, const char *name)
{
	const struct closure_object *object;
	size_t i;

	for (i = 0; i < closure->count; i++) {
		object = closure->objects[i];
		if (strcmp(object->name, name) == 0 ||
			(object->dynamic.soname && strcmp(object->dynamic.soname, name) == 0))
			return object;
	}
	return NULL;
}

/* A file that is there under another name is the same object to the loader. */
static bool closure_has_file(const struct closure *closure, const struct stat *stat)
{
	const struct stat *other;
	size_t i;

	for (i = 0; i < closure->count; i++) {
		other = &closure->objects[i]->dynamic.image.stat;
		if (other->st_dev == stat->st_dev && other->st_ino == stat->st_ino)
			return true;
	}
	return false;
}

/* NULL and @error when the file cannot be read. */
static struct closure_object *object_open(const char *path, struct error *error)
{
	struct closure_object *object = memory_zeroed(1, sizeof(*object));

	if (dynamic_open(&object->dynamic, path, error) < 0) {
		dynamic_close(&object->dynamic);
		free(object);
		return NULL;
	}
	object->user.dynamic = &object->dynamic;
	object->name = object->dynamic.path;
	return object;
}

static void object_close(struct closure_object *object)
{
	dynamic_close(&object->dynamic);
	free(object);
}

static void closure_put(struct closure *closure, struct closure_object *object)
{
	struct closure_object **to;

	to = array_append(&closure->objects, &closure->count, sizeof(*to));
	*to = object;
}

static void missing_add(struct closure *closure, const struct closure_object *user,
	const char *name, const char *why)
{
	struct closure_missing *missing;
	size_t i;

	for (i = 0; i < closure->missing_count; i++)
		if (strcmp(closure->missing[i].name, name) == 0)
			return;
	missing = array_append(&closure->missing, &closure->missing_count, sizeof(*missing));
	missing->name = name;
	missing->user = user;
	missing->why = why ? text_copy(why) : NULL;
}

static void library_add(
	struct closure *closure, const struct closure_object *user, const char *name, bool by_host)
{
	struct closure_object *object;
	struct error error;
	char *path;

	if (closure_named(closure, name) || closure->count >= OBJECT_MAX)
		return;
	path = library_find(closure->search, &user->user, name);
	object = path ? object_open(path, &error) : NULL;
	if (!object) {
		if (!by_host)
			missing_add(closure, user, name, path ? error.message : NULL);
		free(path);
		return;
	}
	free(path);
	if (closure_has_file(closure, &object->dynamic.image.stat)) {
		object_close(object);
		return;
	}
	object->name = name;
	object->by_host = by_host;
	object->user.loader = &user->user;
	closure_put(closure, object);
}

/* Breadth first, as the loader does. */
static void libraries_add(struct closure *closure, size_t from)
{
	const struct closure_object *user;
	size_t i;

	for (; from < closure->count; from++) {
		user = closure->objects[from];
		for (i = 0; i < user->dynamic.needed_count; i++)
			library_add(closure, user, user->dynamic.needed[i], user->by_host);
	}
}

int closure_add_host(struct closure *closure, const char *path, struct error *error)
{
	struct closure_object *object = object_open(path, error);
	char *real;

	if (!object)
		return -1;
	/* The $ORIGIN of a program is that of the file, not of a link to it. */
	real = realpath(path, NULL);
	if (real) {
		free(object->dynamic.path);
		object->dynamic.path = real;
		object->dynamic.image.path = real;
		object->name = real;
	}
	object->by_host = true;
	closure->host = object;
	closure_put(closure, object);
	libraries_add(closure, 0);
	return 0;
}

const struct closure_object *closure_add(
	struct closure *closure, const char *path, struct error *error)
{
	struct closure_object *object = object_open(path, error);
	size_t from = closure->count;

	if (!object)
		return NULL;
	object->user.loader = closure->host ? &closure->host->user : NULL;
	closure_put(closure, object);
	libraries_add(closure, from);
	return object;
}

void closure_add_runtime(struct closure *closure)
{
	size_t from = closure->count;

	library_add(closure, closure->objects[0], "libc.so.6", true);
	libraries_add(closure, from);
}

void closure_end(struct closure *closure)
{
	size_t i;

	for (i = 0; i < closure->missing_count; i++)
		free(closure->missing[i].why);
	for (i = closure->count; i; i--)
		object_close(closure->objects[i - 1]);
	free(closure->missing);
	free(closure->objects);
	memset(closure, 0, sizeof(*closure));
}
