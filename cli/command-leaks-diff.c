/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/diff.h"
#include "cli/leaks-report.h"
#include "cli/session-folder.h"

#include <stdlib.h>

struct diff_options {
	int format, color;
	const char *output, *module, *session_dir;
	bool all;
	long error_exitcode;
};

static const struct option options[] = {
	{"format", 'f', OPTION_CHOICE, offsetof(struct diff_options, format), "FORMAT",
		"text (default) or json", format_choices, 0, 0},
	{"output", 'o', OPTION_TEXT, offsetof(struct diff_options, output), "FILE",
		"write the comparison to FILE", NULL, 0, 0},
	{"module", 'm', OPTION_TEXT, offsetof(struct diff_options, module), "GLOB",
		"only modules whose path or file name matches", NULL, 0, 0},
	{"all", 'a', OPTION_FLAG, offsetof(struct diff_options, all), NULL,
		"also places that did not change", NULL, 0, 0},
	{"color", 0, OPTION_CHOICE, offsetof(struct diff_options, color), "WHEN",
		"auto (default), always or never", color_choices, 0, 0},
	{"error-exitcode", 0, OPTION_NUMBER, offsetof(struct diff_options, error_exitcode), "N",
		"exit with N when more was leaked, kept or left", NULL, 1, 255},
	{"session-dir", 0, OPTION_TEXT, offsetof(struct diff_options, session_dir), "DIR",
		"look for sessions in DIR", NULL, 0, 0},
	{0},
};

/* report.leaks[0] is BEFORE, report.leaks[1] AFTER. */
static int sessions_read(
	struct report *report, const struct diff_options *o, char **operands, struct error *error)
{
	const struct leaks_scope scope = {.module_glob = o->module, .kinds = KINDS_ALL};
	bool is_default;
	char *base = session_base(o->session_dir, &is_default), *path;
	int result, i;

	result = session_base_check(base, is_default, error);
	for (i = 0; i < 2 && result == 0; i++) {
		path = session_find(base, operands[i], error);
		result = path ? report_add(report, path, &scope, error) : -1;
		free(path);
	}
	free(base);
	return result;
}

static int diff_run(int argc, char **argv, struct error *error)
{
	struct diff_options o = {0};
	struct report report = {0};
	struct diff *diff = NULL;
	int count, status = -1;
	FILE *out;

	count = options_anywhere(options, &o, "leaks diff", argc, argv, error);
	if (count == OPTIONS_HELP || count == -1)
		return count;
	if (count != 2)
		return error_exit(error, STATUS_USAGE,
			"two sessions are compared, %d given; see relib leaks diff --help", count);
	if (sessions_read(&report, &o, argv, error) == 0 &&
		(out = report_file(o.output, stdout, error))) {
		struct paper paper = {out, paper_has_color(out, o.color)};

		diff = diff_open(report.leaks[0], report.leaks[1]);
		if (o.format == FORMAT_JSON)
			diff_write_json(diff, o.all, out);
		else
			diff_write_text(diff, o.all, &paper);
		status = report_file_close(out, o.output, stdout, error);
	}
	if (status == 0 && o.error_exitcode && diff_has_growth(diff))
		status = o.error_exitcode;
	diff_close(diff);
	report_close(&report);
	return status;
}

const struct command command_leaks_diff = {
	.name = "leaks diff",
	.summary = "compare what modules left in two sessions",
	.synopsis = "leaks diff [OPTION...] BEFORE AFTER",
	.details =
		"BEFORE and AFTER are sessions or process numbers as for relib leaks report.  "
		"Places\n"
		"are the same if module and functions of the call stack are, whatever the lines.",
	.options = options,
	.run = diff_run,
};
