/* SPDX-License-Identifier: MIT */
/*
 * A plugin as people write them: it works, and leaves things behind at every
 * unload.  Nothing in it knows of relib.
 *
 *	cc -g -O2 -shared -fPIC -o leaky.so leaky.c
 *	relib run --cycles 3 -- ./leaky.so
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct setting {
	struct setting *next;
	char *name;
	char *value;
};

/* The list's head goes with the plugin, what it holds stays. */
static struct setting *settings;

static void setting_add(const char *name, const char *value)
{
	struct setting *setting = calloc(1, sizeof(*setting));

	setting->name = strdup(name);
	setting->value = strdup(value);
	setting->next = settings;
	settings = setting;
}

static void path_build(const char *folder)
{
	char *path;

	if (asprintf(&path, "%s/plugin.conf", folder) < 0)
		return;
	setting_add("config", path);
	/* free(path) is forgotten */
}

int plugin_main(int argc, char **argv)
{
	setting_add("colour", "red");
	path_build("/etc");
	for (const struct setting *setting = settings; setting; setting = setting->next)
		printf("leaky: %s = %s\n", setting->name, setting->value);
	return 0;
}
