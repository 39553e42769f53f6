/* SPDX-License-Identifier: MIT */
#include "cli/run-options.h"

#include "cli/leaks-report.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const char *const leaks_choices[] = {"free", "report", "off", NULL};
const char *const threads_choices[] = {"defer", "refuse", NULL};
const char *const fds_choices[] = {"report", "close", NULL};
const char *const names_choices[] = {"report", "remove", NULL};
const char *const timeout_actions[] = {"report", "abandon", NULL};

/* What the preload library takes. */
#define TIMEOUT_MAX (UINT32_MAX / 1000)
#define GUARD_MAX (1L << 24)

#define OFFSET(member) offsetof(struct run_options, member)

const struct option run_option_table[] = {
	{"track", 't', OPTION_LIST, OFFSET(track), "GLOB",
		"track only modules whose path or file name matches", NULL, 0, 0},
	RUN_OPTIONS_OF_UNLOADS(OFFSET),
	{"unload-timeout", 0, OPTION_NUMBER, OFFSET(unload_timeout), "SECONDS",
		"when a waiting unload is reported (default 10, 0: never)", NULL, 0, TIMEOUT_MAX},
	{"unload-timeout-action", 0, OPTION_CHOICE, OFFSET(timeout_action), "WHAT",
		"report it (default), or abandon the unload as well", timeout_actions, 0, 0},
	{"guard", 0, OPTION_NUMBER, OFFSET(guard), "MIB",
		"addresses of unloaded modules held back (default 1024, 0: off)", NULL, 0,
		GUARD_MAX},
	{"frames", 0, OPTION_NUMBER, OFFSET(frames), "N",
		"frames of a call stack to record, 0 to 64 (default 16)", NULL, 0, 64},
	{"error-exitcode", 0, OPTION_NUMBER, OFFSET(error_exitcode), "N",
		"exit with N when a module left something or could not be unloaded", NULL, 1, 255},
	{"format", 'f', OPTION_CHOICE, OFFSET(format), "FORMAT", "text (default) or json",
		format_choices, 0, 0},
	{"output", 'o', OPTION_TEXT, OFFSET(output), "FILE",
		"write the report to FILE instead of standard error", NULL, 0, 0},
	{"quiet", 'q', OPTION_FLAG, OFFSET(quiet), NULL, "nothing of relib's on standard error",
		NULL, 0, 0},
	{"color", 0, OPTION_CHOICE, OFFSET(color), "WHEN", "auto (default), always or never",
		color_choices, 0, 0},
	{"entry", 'e', OPTION_TEXT, OFFSET(entry), "NAME",
		"built-in host: the function to call (default plugin_main)", NULL, 0, 0},
	{"cycles", 'n', OPTION_NUMBER, OFFSET(cycles), "N",
		"built-in host: load, call and unload N times (default 1)", NULL, 1, 1000000000},
	{"session-dir", 0, OPTION_TEXT, OFFSET(session_dir), "DIR", "keep sessions in DIR", NULL, 0,
		0},
	{0},
};

void run_options_split(struct run_options *o, int argc, char **argv)
{
	int i = 0;

	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	o->host = argv;
	o->host_count = i;
	if (i < argc) {
		o->plugin = argv + i + 1;
		o->plugin_count = argc - i - 1;
	}
}

static bool is_plugin_name(const char *name)
{
	size_t length = strlen(name);

	return length > 3 && strcmp(name + length - 3, ".so") == 0;
}

/* What the preload library takes, less room for the plugins. */
#define GLOB_MAX 511
#define TRACK_MAX 2048
#define THROUGH_MAX 1000

static int list_check(
	const struct text_list *list, const char *option, size_t most, struct error *error)
{
	size_t i, length = 0;

	for (i = 0; i < list->count; i++) {
		if (strlen(list->text[i]) > GLOB_MAX)
			return error_exit(error, STATUS_USAGE,
				"--%s: '%.40s...' is longer than %d bytes", option, list->text[i],
				GLOB_MAX);
		length += strlen(list->text[i]) + 1;
	}
	if (length > most)
		return error_exit(error, STATUS_USAGE,
			"--%s: all values together are longer than %zu bytes", option, most);
	return 0;
}

static int operands_check(const struct run_options *o, struct error *error)
{
	bool bare = o->plugin && !o->plugin_count;

	if (bare)
		return error_exit(error, STATUS_USAGE,
			"a PLUGIN.so is needed after --; see relib run --help");
	if (!o->host_count && !o->plugin_count)
		return error_exit(error, STATUS_USAGE,
			"a HOST or, after --, a PLUGIN.so is needed; see relib run --help");
	/* A plugin can be started by the built-in host only. */
	if (o->host_count && !o->plugin_count && is_plugin_name(o->host[0]))
		return error_exit(error, STATUS_USAGE,
			"%s: is a plugin, not a host: say relib run -- %s", o->host[0], o->host[0]);
	if (o->host_count && (o->entry || o->cycles))
		return error_exit(error, STATUS_USAGE,
			"--%s is of the built-in host only, and %s is the host",
			o->entry ? "entry" : "cycles", o->host[0]);
	return 0;
}

const struct run_options run_options_unsaid = {
	.frames = -1,
	.unload_timeout = -1,
	.guard = -1,
	.leaks = -1,
	.threads = -1,
	.fds = -1,
	.names = -1,
	.timeout_action = -1,
};

int run_options_check(const struct run_options *o, struct error *error)
{
	if (list_check(&o->track, "track", TRACK_MAX, error) < 0 ||
		list_check(&o->through, "through", THROUGH_MAX, error) < 0)
		return -1;
	if (o->timeout_action == 1 && o->unload_timeout == 0)
		return error_exit(error, STATUS_USAGE,
			"--unload-timeout-action: nothing is abandoned with --unload-timeout=0");
	return 0;
}

void run_options_free(struct run_options *o)
{
	free(o->track.text);
	free(o->through.text);
}

int run_options_parse(struct run_options *o, int argc, char **argv, struct error *error)
{
	int first;

	*o = run_options_unsaid;
	first = options_leading(run_option_table, o, "run", argc, argv, error);
	if (first < 0)
		return first;
	run_options_split(o, argc - first, argv + first);
	if (run_options_check(o, error) < 0)
		return -1;
	return operands_check(o, error);
}
