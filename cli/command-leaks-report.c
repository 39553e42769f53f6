/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/leaks-report.h"
#include "cli/session-folder.h"

#include <stdlib.h>

struct report_options {
	int format, color;
	const char *output, *module, *kinds, *session_dir;
	bool all;
	long error_exitcode;
};

static const struct option options[] = {
	{"format", 'f', OPTION_CHOICE, offsetof(struct report_options, format), "FORMAT",
		"text (default) or json", format_choices, 0, 0},
	{"output", 'o', OPTION_TEXT, offsetof(struct report_options, output), "FILE",
		"write the report to FILE", NULL, 0, 0},
	{"module", 'm', OPTION_TEXT, offsetof(struct report_options, module), "GLOB",
		"only modules whose path or file name matches", NULL, 0, 0},
	{"kind", 'k', OPTION_TEXT, offsetof(struct report_options, kinds), "KIND[,KIND...]",
		"only what is of these kinds; see below", NULL, 0, 0},
	{"all", 'a', OPTION_FLAG, offsetof(struct report_options, all), NULL,
		"also places that left nothing", NULL, 0, 0},
	{"color", 0, OPTION_CHOICE, offsetof(struct report_options, color), "WHEN",
		"auto (default), always or never", color_choices, 0, 0},
	{"error-exitcode", 0, OPTION_NUMBER, offsetof(struct report_options, error_exitcode), "N",
		"exit with N when a module left something or could not be unloaded", NULL, 1, 255},
	{"session-dir", 0, OPTION_TEXT, offsetof(struct report_options, session_dir), "DIR",
		"look for sessions in DIR", NULL, 0, 0},
	{0},
};

/* Finds and reads the session, before an old report is overwritten. */
static int session_report(struct report *report, const struct report_options *o,
	const char *operand, struct error *error)
{
	struct leaks_scope scope = {.module_glob = o->module, .kinds = KINDS_ALL};
	bool is_default;
	char *base = session_base(o->session_dir, &is_default), *path = NULL;
	int result = -1;

	if (o->kinds && kinds_parse(o->kinds, &scope.kinds, error) < 0) {
		free(base);
		return -1;
	}
	if (session_base_check(base, is_default, error) == 0)
		path = session_find(base, operand, error);
	if (path)
		result = report_add(report, path, &scope, error);
	free(path);
	free(base);
	return result;
}

static int report_run(int argc, char **argv, struct error *error)
{
	struct report_options o = {0};
	struct report report = {0};
	int count, status = -1;
	FILE *out;

	count = options_anywhere(options, &o, "leaks report", argc, argv, error);
	if (count < 0)
		return count;
	if (count > 1)
		return error_exit(error, STATUS_USAGE,
			"'%s' is one session too many; see relib leaks report --help", argv[1]);
	report.all = o.all;
	if (session_report(&report, &o, count ? argv[0] : NULL, error) == 0 &&
		(out = report_file(o.output, stdout, error))) {
		struct paper paper = {out, paper_has_color(out, o.color)};

		if (o.format == FORMAT_JSON)
			report_write_json(&report, out);
		else
			report_write_text(&report, &paper);
		status = report_file_close(out, o.output, stdout, error);
	}
	if (status == 0 && o.error_exitcode && report_is_at_fault(&report))
		status = o.error_exitcode;
	report_close(&report);
	return status;
}

const struct command command_leaks_report = {
	.name = "leaks report",
	.summary = "report what the modules of a session left",
	.synopsis = "leaks report [OPTION...] [SESSION | PID]",
	.details =
		"Without an operand it is the session that was started last.  SESSION is its "
		"folder,\n"
		"the folder's name, or its file; PID is a process that runs or ran under relib.\n\n"
		"KIND is memory, descriptors, streams, mappings, names, hooks, locks, children,\n"
		"handles, process or threads, or a single kind as in relib-leaks(1).",
	.options = options,
	.run = report_run,
};
