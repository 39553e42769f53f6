/* SPDX-License-Identifier: MIT */
#include "cli/text-dangling.h"

#include "cli/dangling.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINES 24 /* of one module; more are counted */

/* The same said of several generations is one line. */
struct line {
	char *text;
	uint32_t generation; /* its number, of the first of them */
	size_t generations;
	uint64_t words;
};

struct lines {
	struct line line[LINES];
	size_t count, more;
};

static void lines_add(
	struct lines *lines, const struct leaks *leaks, const struct session_dangling *dangling)
{
	char *text = dangling_text(leaks, dangling);
	struct line *line;
	size_t i;

	for (i = 0; i < lines->count && strcmp(lines->line[i].text, text) != 0; i++)
		;
	line = &lines->line[i];
	if (i == LINES) {
		lines->more++;
		free(text);
		return;
	}
	if (i < lines->count) {
		free(text);
	} else {
		*line = (struct line){.text = text};
		line->generation = session_generation(leaks->session, dangling->generation)->number;
		lines->count++;
	}
	line->generations++;
	line->words += dangling->count;
}

static void lines_fill(struct lines *lines, const struct leaks *leaks,
	const struct leaks_module *module, bool stale)
{
	const struct session_dangling *dangling;
	const struct index_list *list;
	size_t i, k;

	*lines = (struct lines){0};
	for (i = 0; i < module->generations.count; i++) {
		list = &leaks->generations[module->generations.index[i]].danglings;
		for (k = 0; k < list->count; k++) {
			dangling = session_dangling(leaks->session, list->index[k]);
			if (dangling_may_be_stale(dangling) == stale)
				lines_add(lines, leaks, dangling);
		}
	}
}

static void lines_print(
	const struct paper *paper, struct lines *lines, const char *title, enum ink ink)
{
	char text[NUMBER_SIZE];
	struct line *line;
	size_t i;

	if (lines->count)
		paper_print(paper, ink, "\n  %s\n", title);
	for (i = 0; i < lines->count; i++) {
		line = &lines->line[i];
		paper_print(paper, INK_PLAIN, "    %s", line->text);
		if (line->words > line->generations)
			paper_print(
				paper, INK_PLAIN, ", %s", count_text(text, line->words, "word"));
		if (line->generations > 1)
			paper_print(paper, INK_PLAIN, ", in %s",
				count_text(text, line->generations, "generation"));
		else
			paper_print(paper, INK_PLAIN, ", generation %" PRIu32, line->generation);
		paper_print(paper, INK_PLAIN, "\n");
		free(line->text);
	}
	if (lines->more)
		paper_print(paper, INK_PLAIN, "    and %s more\n",
			count_text(text, lines->more, "pointer"));
}

void text_danglings_print(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	struct lines lines;

	lines_fill(&lines, leaks, module, false);
	lines_print(paper, &lines, "warning: dangling pointers into what was unmapped", INK_WARN);
	lines_fill(&lines, leaks, module, true);
	lines_print(paper, &lines,
		"and possibly stale ones: a local variable, or a leftover that nobody reads again",
		INK_FAINT);
}
