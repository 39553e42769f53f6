/* SPDX-License-Identifier: MIT */
/*
 * A host that does what it is told: one command a line on standard input, one
 * answer a line on standard output.
 *
 *	load NAME PATH [deepbind|newlm|global]
 *	call NAME FUNCTION [NUMBER]	long FUNCTION(long)
 *	unload NAME			"ok gone" or "ok stays"
 *	cycle COUNT PATH FUNCTION [NUMBER]	so many times load, call, unload
 *	reload COUNT PATH FUNCTION [NUMBER]	the same; says "ok RSS-after-10 RSS-after-last"
 *	rss
 *	exit STATUS
 */
#include "host.h"

#define NAMES_MAX 32

static struct {
	char name[32];
	void *handle;
} loaded[NAMES_MAX];

static void **handle_of(const char *name)
{
	for (int i = 0; i < NAMES_MAX; i++)
		if (loaded[i].handle && !strcmp(loaded[i].name, name))
			return &loaded[i].handle;
	return NULL;
}

NOINLINE static void load(const char *name, const char *path, const char *how)
{
	int i = 0;

	while (i < NAMES_MAX && loaded[i].handle)
		i++;
	if (i == NAMES_MAX)
		die("too many plugins");
	if (!strcmp(how, "newlm"))
		loaded[i].handle = dlmopen(LM_ID_NEWLM, path, RTLD_NOW);
	else
		loaded[i].handle = dlopen(path, RTLD_NOW | (!strcmp(how, "deepbind") ? RTLD_DEEPBIND : 0) |
			(!strcmp(how, "global") ? RTLD_GLOBAL : 0));
	if (!loaded[i].handle) {
		dprintf(1, "error %s\n", dlerror());
		return;
	}
	snprintf(loaded[i].name, sizeof(loaded[i].name), "%s", name);
	dprintf(1, "ok\n");
}

NOINLINE static long call(void *handle, const char *function, long number)
{
	long (*symbol)(long) = (long (*)(long))plugin_symbol(handle, function);
	long result = symbol(number);

	NOT_A_TAIL_CALL();
	return result;
}

static void unload(void **handle)
{
	int gone = plugin_close(*handle);

	*handle = NULL;
	dprintf(1, "ok %s\n", gone ? "gone" : "stays");
}

static void cycle(long count, const char *path, const char *function, long number, int measured)
{
	long tenth = 0;

	for (long i = 1; i <= count; i++) {
		void *handle = plugin_open(path);

		call(handle, function, number);
		scrub_stack();
		if (!plugin_close(handle)) {
			dprintf(1, "error the plugin stays\n");
			return;
		}
		if (measured && i == 10)
			tenth = resident_bytes();
	}
	if (measured)
		dprintf(1, "ok %ld %ld\n", tenth, resident_bytes());
	else
		dprintf(1, "ok\n");
}

static void obey(const char *line)
{
	char word[5][512] = { "" };
	int words = sscanf(line, "%511s %511s %511s %511s %511s", word[0], word[1], word[2], word[3],
		word[4]);
	void **handle = words > 1 ? handle_of(word[1]) : NULL;

	if (!strcmp(word[0], "load") && words >= 3) {
		load(word[1], word[2], word[3]);
	} else if (!strcmp(word[0], "call") && words >= 3 && handle) {
		long result = call(*handle, word[2], atol(word[3]));

		dprintf(1, "ok %ld\n", result);
	} else if (!strcmp(word[0], "unload") && handle) {
		unload(handle);
	} else if ((!strcmp(word[0], "cycle") || !strcmp(word[0], "reload")) && words >= 4) {
		cycle(atol(word[1]), word[2], word[3], atol(word[4]), word[0][0] == 'r');
	} else if (!strcmp(word[0], "rss")) {
		dprintf(1, "ok %ld\n", resident_bytes());
	} else if (!strcmp(word[0], "exit") && words >= 2) {
		exit(atoi(word[1]));
	} else {
		dprintf(1, "error cannot: %s\n", line);
	}
}

int main(void)
{
	char line[2048];

	watchdog(300);
	while (read_command(line, sizeof(line))) {
		obey(line);
		scrub_stack();
	}
	return 0;
}
