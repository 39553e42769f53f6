/* SPDX-License-Identifier: MIT */
#include "cli/environment.h"

#include "elf/memory.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct variables {
	char **text; /* NAME=value */
	size_t count;
};

static void variable_set(struct variables *v, const char *name, const char *value)
{
	size_t length = strlen(name), i;
	char *text = text_format("%s=%s", name, value);

	for (i = 0; i < v->count; i++) {
		if (strncmp(v->text[i], name, length) == 0 && v->text[i][length] == '=') {
			free(v->text[i]);
			v->text[i] = text;
			return;
		}
	}
	*(char **)array_append(&v->text, &v->count, sizeof(*v->text)) = text;
}

/* Appends @item to the ':'-separated *@list. */
static void list_add(char **list, const char *item)
{
	char *longer = *list ? text_format("%s:%s", *list, item) : text_copy(item);

	free(*list);
	*list = longer;
}

/* What the preload library takes at most as one glob. */
#define GLOB_SIZE 512

/* A glob that matches @path: ':' would end it in the list, so any character stands for it. */
static char *glob_of_text(const char *path)
{
	char *glob = memory_zeroed(strlen(path) + 1, 2), *to = glob;

	for (; *path; path++) {
		if (strchr("*?[]\\", *path))
			*to++ = '\\';
		*to++ = *path == ':' ? '?' : *path;
	}
	return glob;
}

static char *glob_of_path(const char *path)
{
	char *glob = glob_of_text(path), *name;

	if (strlen(glob) < GLOB_SIZE)
		return glob;
	free(glob);
	name = glob_of_text(strrchr(path, '/') + 1);
	glob = text_format("*/%s", name);
	free(name);
	return glob;
}

/* PLUGIN.so, and any other library among its arguments. */
static bool is_plugin(const struct run_options *o, int i)
{
	size_t length = strlen(o->plugin[i]);

	return i == 0 || (length > 3 && strcmp(o->plugin[i] + length - 3, ".so") == 0 &&
				 access(o->plugin[i], R_OK) == 0);
}

static char *track_list(const struct run_options *o)
{
	char *list = NULL, *real, *glob;
	size_t k;
	int i;

	for (k = 0; k < o->track.count; k++)
		list_add(&list, o->track.text[k]);
	for (i = 0; i < o->plugin_count; i++) {
		real = is_plugin(o, i) ? realpath(o->plugin[i], NULL) : NULL;
		if (!real)
			continue;
		glob = glob_of_path(real);
		list_add(&list, glob);
		free(glob);
		free(real);
	}
	return list;
}

static void preload_set(struct variables *v, const char *shim)
{
	const char *others = getenv("LD_PRELOAD");
	char *list;

	list = others && *others ? text_format("%s:%s", shim, others) : text_copy(shim);
	variable_set(v, "LD_PRELOAD", list);
	free(list);
}

/* Not said: -1. */
static void number_set(struct variables *v, const char *name, long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", number);
	if (number >= 0)
		variable_set(v, name, text);
}

static void choice_set(
	struct variables *v, const char *name, const char *const *choices, int choice)
{
	if (choice >= 0)
		variable_set(v, name, choices[choice]);
}

static void options_set(struct variables *v, const struct run_options *o)
{
	char *list = track_list(o);
	size_t k;

	if (list)
		variable_set(v, "RELIB_TRACK", list);
	free(list);
	list = NULL;
	for (k = 0; k < o->through.count; k++)
		list_add(&list, o->through.text[k]);
	if (list)
		variable_set(v, "RELIB_THROUGH", list);
	free(list);
	number_set(v, "RELIB_FRAMES", o->frames);
	number_set(v, "RELIB_UNLOAD_TIMEOUT", o->unload_timeout);
	number_set(v, "RELIB_GUARD", o->guard);
	choice_set(v, "RELIB_LEAKS", leaks_choices, o->leaks);
	choice_set(v, "RELIB_THREADS", threads_choices, o->threads);
	choice_set(v, "RELIB_FDS", fds_choices, o->fds);
	choice_set(v, "RELIB_NAMES", names_choices, o->names);
	choice_set(v, "RELIB_UNLOAD_TIMEOUT_ACTION", timeout_actions, o->timeout_action);
}

char **environment_make(const struct run_options *o, const struct run_setup *setup)
{
	struct variables v = {0};
	char **from;

	for (from = environ; *from; from++)
		*(char **)array_append(&v.text, &v.count, sizeof(*v.text)) = text_copy(*from);
	preload_set(&v, setup->shim);
	variable_set(&v, "RELIB_DIR", setup->base);
	variable_set(&v, "RELIB_RUN", setup->run_id);
	options_set(&v, o);
	array_append(&v.text, &v.count, sizeof(*v.text));
	return v.text;
}

void environment_free(char **environment)
{
	char **text;

	for (text = environment; text && *text; text++)
		free(*text);
	free(environment);
}
