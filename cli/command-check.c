/* SPDX-License-Identifier: MIT */
#include "cli/check.h"
#include "cli/command.h"
#include "cli/leaks-report.h"
#include "elf/memory.h"

#include <stdlib.h>

#define LOADER_CACHE "/etc/ld.so.cache"

#define STATUS_STAYS 1	    /* a file will not unload, or cannot be loaded */
#define STATUS_UNREADABLE 2 /* a file is no plugin, as a wrong command line is none */

struct check_options {
	int format, color;
	const char *output, *host;
	struct text_list library_path;
	bool all;
};

static const struct option options[] = {
	{"format", 'f', OPTION_CHOICE, offsetof(struct check_options, format), "FORMAT",
		"text (default) or json", format_choices, 0, 0},
	{"output", 'o', OPTION_TEXT, offsetof(struct check_options, output), "FILE",
		"write the report to FILE", NULL, 0, 0},
	{"host", 0, OPTION_TEXT, offsetof(struct check_options, host), "PROGRAM",
		"the program that will load the files", NULL, 0, 0},
	{"library-path", 'L', OPTION_LIST, offsetof(struct check_options, library_path), "DIR",
		"look for libraries in DIR as well; repeatable", NULL, 0, 0},
	{"all", 'a', OPTION_FLAG, offsetof(struct check_options, all), NULL,
		"all names, however many", NULL, 0, 0},
	{"color", 0, OPTION_CHOICE, offsetof(struct check_options, color), "WHEN",
		"auto (default), always or never", color_choices, 0, 0},
	{0},
};

/* Each file that cannot be read has its line on standard error, not only the first. */
static int files_check(struct check_list *list, const struct check_options *o, int count,
	char **paths, struct error *error)
{
	struct library_search search = {
		.cache = loader_cache_open(LOADER_CACHE),
		.folders = o->library_path.text,
		.folder_count = o->library_path.count,
		.library_path = getenv("LD_LIBRARY_PATH"),
	};
	struct check *check = NULL;
	int i;

	for (i = 0; i < count; i++) {
		check = check_open(paths[i], o->host, &search, error);
		if (!check)
			break;
		*(struct check **)array_append(&list->checks, &list->count, sizeof(check)) = check;
	}
	loader_cache_close(search.cache);
	if (check)
		return 0;
	error->status = STATUS_UNREADABLE;
	return -1;
}

static void unreadable_print(const struct check_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->checks[i]->error)
			fprintf(stderr, "relib: %s\n", list->checks[i]->error);
}

static int check_list_status(const struct check_list *list)
{
	if (check_list_count(list, VERDICT_UNREADABLE))
		return STATUS_UNREADABLE;
	return check_list_count(list, VERDICT_UNLOADS) == list->count ? 0 : STATUS_STAYS;
}

static int check_list_write(
	const struct check_list *list, const struct check_options *o, struct error *error)
{
	FILE *out = report_file(o->output, stdout, error);
	struct paper paper = {out, false};

	if (!out)
		return -1;
	paper.color = paper_has_color(out, o->color);
	if (o->format == FORMAT_JSON)
		check_list_write_json(list, out);
	else
		check_list_write_text(list, &paper);
	return report_file_close(out, o->output, stdout, error);
}

static int check_run(int argc, char **argv, struct error *error)
{
	struct check_options o = {0};
	struct check_list list = {0};
	int count, status;

	count = options_anywhere(options, &o, "check", argc, argv, error);
	if (count < 0)
		return count;
	if (count == 0)
		return error_exit(
			error, STATUS_USAGE, "a PLUGIN.so is needed; see relib check --help");
	list.all = o.all;
	status = files_check(&list, &o, count, argv, error);
	if (status == 0) {
		unreadable_print(&list);
		status = check_list_write(&list, &o, error);
	}
	if (status == 0)
		status = check_list_status(&list);
	while (list.count)
		check_close(list.checks[--list.count]);
	free(list.checks);
	free(o.library_path.text);
	return status;
}

const struct command command_check = {
	.name = "check",
	.summary = "tell from a plugin's file whether it will unload",
	.synopsis = "check [OPTION...] PLUGIN.so...",
	.details = "Nothing is loaded or run.  The exit status is 0 when all files will unload, "
		   "1 when one\n"
		   "will not or cannot be loaded, 2 when one cannot be read.",
	.options = options,
	.run = check_run,
};
