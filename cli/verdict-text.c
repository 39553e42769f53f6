/* SPDX-License-Identifier: MIT */
#include "cli/verdict.h"

#include <inttypes.h>
#include <string.h>

/* What fails comes first. */
static void print_causes(const struct paper *paper, const struct plugin_verdict *plugin)
{
	const struct cause *cause;
	size_t i;

	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		if (!cause->allowed)
			paper_print(paper, INK_BAD, "  %s\n", cause->text);
	}
	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		if (cause->allowed)
			paper_print(paper, INK_FAINT, "  allowed: %s\n", cause->text);
	}
}

/* One line for each reason; behind a plugin that does not load nothing else is missed. */
static void print_skipped(const struct paper *paper, const struct plugin_verdict *plugin)
{
	const char *last = NULL;
	enum check_id i;

	if (plugin_check_result(plugin, CHECK_LOADS) == CHECK_FAILED)
		return;
	for (i = 0; i < CHECKS; i++) {
		if (plugin_check_result(plugin, i) != CHECK_SKIPPED)
			continue;
		if (last && strcmp(last, plugin->skipped[i]) == 0)
			paper_print(paper, INK_FAINT, ", %s", check_name(i));
		else
			paper_print(paper, INK_FAINT, "%s  not checked, since %s: %s",
				last ? "\n" : "", plugin->skipped[i], check_name(i));
		last = plugin->skipped[i];
	}
	if (last)
		paper_print(paper, INK_PLAIN, "\n");
}

static void print_plugin(const struct paper *paper, const struct plugin_verdict *plugin)
{
	bool good = plugin_is_good(plugin);
	char text[NUMBER_SIZE];

	paper_print(paper, INK_TITLE, "%s", plugin->path);
	paper_print(paper, INK_PLAIN, ": ");
	paper_print(paper, good ? INK_GOOD : INK_BAD, "%s", good ? "passed" : "failed");
	paper_print(paper, INK_FAINT, "  %s, %" PRIu64 ".%02" PRIu64 " s\n",
		count_text(text, plugin->loads, "load"), plugin->ns / 1000000000,
		plugin->ns / 10000000 % 100);
	print_causes(paper, plugin);
	print_skipped(paper, plugin);
}

void verdict_write_text(const struct test_verdict *verdict, const struct paper *paper)
{
	char plugins[NUMBER_SIZE], causes[NUMBER_SIZE];
	size_t i, k, failed = 0, count = 0;

	for (i = 0; i < verdict->count; i++) {
		print_plugin(paper, verdict->plugins[i]);
		failed += !plugin_is_good(verdict->plugins[i]);
		for (k = 0; k < verdict->plugins[i]->cause_count; k++)
			count += !verdict->plugins[i]->causes[k]->allowed;
	}
	if (!failed)
		paper_print(paper, INK_GOOD, "relib: %s passed\n",
			count_text(plugins, verdict->count, "plugin"));
	else
		paper_print(paper, INK_BAD, "relib: %zu of %s failed, for %s\n", failed,
			count_text(plugins, verdict->count, "plugin"),
			count_text(causes, count, "cause"));
}
