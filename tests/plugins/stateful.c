/* SPDX-License-Identifier: MIT */
/*
 * A host that does to the process's state what it is told, itself or through a
 * plugin: one command a line on standard input, one answer a line on standard
 * output.
 *
 *	load NAME PATH
 *	unload NAME
 *	do NAME FUNCTION [TEXT]		long FUNCTION(const char *)
 *	threads				four threads make 3,000 variables each
 *	setenv VALUE | unsetenv | umask OCTAL | chdir PATH | locale CATEGORY NAME
 *	close PATH			one more dlclose of a loaded library
 *	show				what there is now
 */
#include "host.h"

#include <locale.h>
#include <pthread.h>
#include <sys/stat.h>

static struct {
	char name[32];
	void *handle;
} loaded[8];

/* The C library allows it. */
static void *variables_make(void *data)
{
	char name[64];

	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "THREAD_%s_%d", (const char *)data, i);
		setenv(name, "1", 1);
	}
	return NULL;
}

static int threads_run(void)
{
	static char *const names[] = {"A", "B", "C", "D"};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, variables_make, names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void **handle_of(const char *name)
{
	for (int i = 0; i < 8; i++)
		if (!strcmp(loaded[i].name, name))
			return &loaded[i].handle;
	return NULL;
}

static void load(const char *name, const char *path)
{
	int i = 0;

	while (loaded[i].handle && i < 7)
		i++;
	loaded[i].handle = plugin_open(path);
	snprintf(loaded[i].name, sizeof(loaded[i].name), "%s", name);
}

NOINLINE static long plugin_do(void *handle, const char *function, const char *text)
{
	long (*symbol)(const char *) = (long (*)(const char *))plugin_symbol(handle, function);
	long result = symbol(text);

	NOT_A_TAIL_CALL();
	return result;
}

/* A library that somebody left open: its count goes down by one. */
static int close_left(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);

	return !handle || dlclose(handle) || dlclose(handle);
}

/* To ask by umask() would set it. */
static unsigned int umask_now(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char text[128];
	unsigned int mask = 01000;

	while (file && fgets(text, sizeof(text), file))
		sscanf(text, "Umask: %o", &mask);
	if (file)
		fclose(file);
	return mask;
}

static long obey(const char *line)
{
	char word[4][512] = {"", "", "", ""};
	int words = sscanf(line, "%511s %511s %511s %511s", word[0], word[1], word[2], word[3]);
	void **handle = words > 1 ? handle_of(word[1]) : NULL;

	if (!strcmp(word[0], "load") && words == 3)
		return load(word[1], word[2]), 0;
	if (!strcmp(word[0], "unload") && handle) {
		int gone = plugin_close(*handle);

		*handle = NULL;
		return !gone;
	}
	if (!strcmp(word[0], "do") && handle)
		return plugin_do(*handle, word[2], words > 3 ? word[3] : NULL);
	if (!strcmp(word[0], "setenv"))
		return setenv("STATE_VARIABLE", word[1], 1);
	if (!strcmp(word[0], "threads"))
		return threads_run();
	if (!strcmp(word[0], "unsetenv"))
		return unsetenv("STATE_VARIABLE");
	if (!strcmp(word[0], "umask"))
		return umask((mode_t)strtol(word[1], NULL, 8)), 0;
	if (!strcmp(word[0], "chdir"))
		return chdir(word[1]);
	if (!strcmp(word[0], "locale"))
		return setlocale(atoi(word[1]), word[2]) ? 0 : -1;
	if (!strcmp(word[0], "close"))
		return close_left(word[1]);
	if (!strcmp(word[0], "show")) {
		dprintf(1, "%s %03o %s\n",
			getenv("STATE_VARIABLE") ? getenv("STATE_VARIABLE") : "-", umask_now(),
			setlocale(LC_ALL, NULL));
		return 0;
	}
	return -2;
}

int main(void)
{
	char line[2048];

	watchdog(120);
	while (read_command(line, sizeof(line))) {
		long result = obey(line);

		if (strcmp(line, "show"))
			dprintf(1, result ? "error %s: %ld\n" : "ok\n", line, result);
		scrub_stack();
	}
	return 0;
}
