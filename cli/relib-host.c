/* SPDX-License-Identifier: MIT */
/*
 * The built-in host: loads a plugin, calls its entry, unloads it.
 *
 *	relib-host [--entry NAME] [--cycles N] PLUGIN.so [ARG...]
 *
 * A plain program that needs the C library only, so that all there is to see
 * is the plugin.  Its exit status is what the entry returned last; 125 when it
 * could not do its work.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ENTRY "plugin_main"
#define STATUS_FAILED 125

typedef int entry_function(int argc, char **argv);

struct host {
	const char *entry; /* NULL: the default, which may be missing */
	long cycles;
	int argc;
	char **argv; /* the plugin and its arguments */
};

static int failed(const char *what, const char *why)
{
	fprintf(stderr, "relib-host: %s: %s\n", what, why);
	return -1;
}

static int parse(struct host *host, int argc, char **argv)
{
	char *end;
	int i;

	host->cycles = 1;
	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--entry") == 0) {
			host->entry = argv[i + 1];
		} else if (strcmp(argv[i], "--cycles") == 0) {
			errno = 0;
			host->cycles = strtol(argv[i + 1], &end, 10);
			if (errno || *end || end == argv[i + 1] || host->cycles < 1)
				return failed("--cycles", "a number from 1 on is needed");
		} else {
			break;
		}
	}
	host->argc = argc - i;
	host->argv = argv + i;
	if (host->argc < 1 || host->argv[0][0] == '-')
		return failed("usage", "relib-host [--entry NAME] [--cycles N] PLUGIN.so [ARG...]");
	return 0;
}

/* Looked up in every cycle: the next load may lie elsewhere. */
static int entry_call(const struct host *host, void *plugin, int *status)
{
	entry_function *entry;

	entry = (entry_function *)dlsym(plugin, host->entry ? host->entry : DEFAULT_ENTRY);
	if (!entry && host->entry)
		return failed(host->argv[0], dlerror());
	if (entry)
		*status = entry(host->argc, host->argv);
	return 0;
}

static int cycle(const struct host *host, int *status)
{
	void *plugin = dlopen(host->argv[0], RTLD_NOW | RTLD_LOCAL);
	int result;

	if (!plugin)
		return failed("dlopen", dlerror());
	result = entry_call(host, plugin, status);
	if (dlclose(plugin) != 0)
		return failed("dlclose", dlerror());
	return result;
}

int main(int argc, char **argv)
{
	struct host host = {0};
	int status = 0;
	long i;

	if (parse(&host, argc, argv) < 0)
		return STATUS_FAILED;
	for (i = 0; i < host.cycles; i++)
		if (cycle(&host, &status) < 0)
			return STATUS_FAILED;
	return status & 0xff;
}
