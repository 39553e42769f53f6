/* SPDX-License-Identifier: MIT */
#include "cli/test-options.h"

#include "cli/cause-kinds.h"
#include "cli/paper.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char *const formats[] = {"text", "tap", "junit", "json", NULL};

#define DEFAULT_CYCLES 10
#define DEFAULT_TIMEOUT 600
#define TIMEOUT_MAX (UINT32_MAX / 1000)

#define OFFSET(member) offsetof(struct test_options, member)
#define RUN_OFFSET(member) OFFSET(run.member)

const struct option test_option_table[] = {
	{"cycles", 'n', OPTION_NUMBER, OFFSET(run.cycles), "N",
		"load and unload N times (default 10); of a HOST: expect so many loads", NULL, 1,
		1000000000},
	{"entry", 'e', OPTION_TEXT, OFFSET(run.entry), "NAME",
		"the function to call in each cycle (default plugin_main, if it is there)", NULL, 0,
		0},
	{"allow", 0, OPTION_LIST, OFFSET(allow), "KIND",
		"do not fail on causes of that kind or check; repeatable", NULL, 0, 0},
	{"timeout", 0, OPTION_NUMBER, OFFSET(timeout), "SECONDS",
		"end a run that takes longer (default 600, 0: never)", NULL, 0, TIMEOUT_MAX},
	{"format", 'f', OPTION_CHOICE, OFFSET(format), "FORMAT",
		"text (default), tap, junit or json", formats, 0, 0},
	{"output", 'o', OPTION_TEXT, OFFSET(run.output), "FILE", "write the verdict to FILE", NULL,
		0, 0},
	{"color", 0, OPTION_CHOICE, OFFSET(run.color), "WHEN", "auto (default), always or never",
		color_choices, 0, 0},
	{"track", 't', OPTION_LIST, OFFSET(run.track), "GLOB",
		"test also modules whose path or file name matches", NULL, 0, 0},
	RUN_OPTIONS_OF_UNLOADS(RUN_OFFSET),
	{"unload-timeout", 0, OPTION_NUMBER, OFFSET(run.unload_timeout), "SECONDS",
		"when an unload has failed and is abandoned (default 10, 0: never)", NULL, 0,
		TIMEOUT_MAX},
	{"session-dir", 0, OPTION_TEXT, OFFSET(run.session_dir), "DIR", "keep sessions in DIR",
		NULL, 0, 0},
	{0},
};

static bool has_separator(int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (strcmp(argv[i], "--") == 0)
			return true;
	return false;
}

static int allow_check(const struct text_list *allow, struct error *error)
{
	size_t i;

	for (i = 0; i < allow->count; i++)
		if (!cause_kind_is_known(allow->text[i]))
			return error_exit(error, STATUS_USAGE,
				"--allow: '%s' is no kind of cause; see relib-test(1)",
				allow->text[i]);
	return 0;
}

/* HOST [ARG...] -- PLUGIN.so [ARG...]: options end at the first operand, as of relib run. */
static int hosted_parse(struct test_options *o, int argc, char **argv, struct error *error)
{
	int first = options_leading(test_option_table, o, "test", argc, argv, error);

	if (first < 0)
		return first;
	run_options_split(&o->run, argc - first, argv + first);
	o->plugins = o->run.plugin;
	o->plugin_count = o->run.plugin_count ? 1 : 0;
	o->with_arguments = true;
	if (o->run.host_count && o->run.entry)
		return error_exit(error, STATUS_USAGE,
			"--entry is of the built-in host only, and %s is the host", o->run.host[0]);
	return 0;
}

static int plugins_parse(struct test_options *o, int argc, char **argv, struct error *error)
{
	int count = options_anywhere(test_option_table, o, "test", argc, argv, error);

	if (count < 0)
		return count;
	o->plugins = argv;
	o->plugin_count = count;
	return 0;
}

int test_options_parse(struct test_options *o, int argc, char **argv, struct error *error)
{
	int result;

	*o = (struct test_options){.run = run_options_unsaid, .timeout = DEFAULT_TIMEOUT};
	result = has_separator(argc, argv) ? hosted_parse(o, argc, argv, error)
					   : plugins_parse(o, argc, argv, error);
	if (result < 0)
		return result;
	if (!o->plugin_count)
		return error_exit(
			error, STATUS_USAGE, "a PLUGIN.so is needed; see relib test --help");
	if (!o->run.host_count && !o->run.cycles)
		o->run.cycles = DEFAULT_CYCLES;
	/* A test ends, whatever a plugin does. */
	if (o->run.unload_timeout != 0)
		o->run.timeout_action = 1;
	if (allow_check(&o->allow, error) < 0)
		return -1;
	return run_options_check(&o->run, error);
}

void test_options_free(struct test_options *o)
{
	run_options_free(&o->run);
	free(o->allow.text);
}
