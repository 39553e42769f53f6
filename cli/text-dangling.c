/* SPDX-License-Identifier: MIT */
#include "cli/text-dangling.h"

#include "cli/dangling.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What matters most comes first: a hook is called, a variable may be, heap memory may be freed. */
enum holder {
	HOLDER_HOOK,
	HOLDER_VARIABLE,
	HOLDER_THREAD,
	HOLDER_BLOCK,
	HOLDER_MAPPING,
	HOLDER_HEAP,
	HOLDER_RUNTIME,
	HOLDER_STACK,
	HOLDERS
};

static const struct {
	const char *where;
	size_t lines; /* at most, without --all; more are summed up */
} holders[HOLDERS] = {
	[HOLDER_HOOK] = {"hooks", 24},
	[HOLDER_VARIABLE] = {"variables", 24},
	[HOLDER_THREAD] = {"descriptors of threads", 4},
	[HOLDER_BLOCK] = {"blocks of modules", 4},
	[HOLDER_MAPPING] = {"shared mappings", 4},
	[HOLDER_HEAP] = {"heap memory", 4},
	[HOLDER_RUNTIME] = {"the C library's data", 4},
	[HOLDER_STACK] = {"stacks and registers", 24},
};

/* The same said of several generations is one line. */
struct line {
	const struct session_dangling *dangling; /* of the first of them */
	enum holder holder;
	size_t generations;
	uint64_t words;
};

struct lines {
	const struct leaks *leaks;
	struct line *line;
	size_t count;
};

static enum holder holder_of(const struct session_dangling *dangling)
{
	if (dangling->kind != SESSION_DANGLING_MEMORY)
		return HOLDER_HOOK;
	switch (dangling->root.kind) {
	case SESSION_ROOT_HEAP:
		return HOLDER_HEAP;
	case SESSION_ROOT_STACK:
	case SESSION_ROOT_REGISTER:
		return HOLDER_STACK;
	case SESSION_ROOT_THREAD:
		return HOLDER_THREAD;
	case SESSION_ROOT_BLOCK:
		return HOLDER_BLOCK;
	case SESSION_ROOT_MAPPING:
		return HOLDER_MAPPING;
	case SESSION_ROOT_RUNTIME:
		return HOLDER_RUNTIME;
	default:
		return HOLDER_VARIABLE;
	}
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* What the holder's text is made of. */
static int root_compare(const struct session_root *a, const struct session_root *b)
{
	int result = compare(a->kind, b->kind);

	if (!result)
		result = compare(a->object, b->object);
	if (!result)
		result = compare(a->reg, b->reg);
	if (!result && (a->kind == SESSION_ROOT_GLOBAL || a->kind == SESSION_ROOT_RUNTIME))
		result = compare(a->offset, b->offset);
	if (!result && (a->kind == SESSION_ROOT_HEAP || a->kind == SESSION_ROOT_MAPPING))
		result = compare(a->address, b->address);
	return result;
}

/* 0: the same can be said of both. */
static int said_compare(const struct session_dangling *a, const struct session_dangling *b)
{
	int result = compare(a->kind, b->kind);

	if (!result)
		result = root_compare(&a->root, &b->root);
	if (!result)
		result = compare(a->number, b->number);
	if (!result)
		result = compare(a->target, b->target);
	if (!result)
		result = compare(a->place, b->place);
	return result;
}

static int line_compare(const void *a, const void *b, void *data)
{
	const struct line *x = a, *y = b;
	const struct session *session = data;
	int result = compare(x->holder, y->holder);

	if (!result)
		result = said_compare(x->dangling, y->dangling);
	if (!result)
		result = strcmp(session_string(session, x->dangling->text),
			session_string(session, y->dangling->text));
	return result;
}

static int line_compare_stable(const void *a, const void *b, void *data)
{
	const struct line *x = a, *y = b;
	int result = line_compare(a, b, data);

	return result ? result : x->dangling < y->dangling ? -1 : x->dangling > y->dangling;
}

/* Neighbours of which the same can be said become one line. */
static void lines_merge(struct lines *lines)
{
	void *session = (void *)lines->leaks->session;
	size_t i, count = 0;

	if (!lines->count)
		return;
	qsort_r(lines->line, lines->count, sizeof(*lines->line), line_compare_stable, session);
	for (i = 1; i < lines->count; i++) {
		if (line_compare(&lines->line[count], &lines->line[i], session) != 0) {
			lines->line[++count] = lines->line[i];
			continue;
		}
		lines->line[count].words += lines->line[i].words;
		lines->line[count].generations++;
	}
	lines->count = count + 1;
}

/* Those that are wanted: taken back or not, possibly stale or not. */
static void lines_fill(struct lines *lines, const struct leaks *leaks,
	const struct leaks_module *module, bool taken_back, bool stale)
{
	const struct session_dangling *dangling;
	const struct index_list *list;
	size_t i, k;

	*lines = (struct lines){.leaks = leaks};
	for (i = 0; i < module->generations.count; i++) {
		list = &leaks->generations[module->generations.index[i]].danglings;
		for (k = 0; k < list->count; k++) {
			dangling = session_dangling(leaks->session, list->index[k]);
			if (!dangling->taken_back != !taken_back ||
				dangling_may_be_stale(dangling) != stale)
				continue;
			*(struct line *)array_append(
				&lines->line, &lines->count, sizeof(*lines->line)) =
				(struct line){dangling, holder_of(dangling), 1, dangling->count};
		}
	}
	lines_merge(lines);
}

static void line_print(
	const struct paper *paper, const struct leaks *leaks, const struct line *line)
{
	char *text = dangling_text(leaks, line->dangling), number[NUMBER_SIZE];

	paper_print(paper, INK_PLAIN, "    %s", text);
	free(text);
	if (line->words > line->generations)
		paper_print(paper, INK_PLAIN, ", %s", count_text(number, line->words, "word"));
	if (line->generations > 1)
		paper_print(paper, INK_PLAIN, ", in %s",
			count_text(number, line->generations, "generation"));
	else
		paper_print(paper, INK_PLAIN, ", generation %" PRIu32,
			session_generation(leaks->session, line->dangling->generation)->number);
	paper_print(paper, INK_PLAIN, "\n");
}

/* "4,321 in heap memory, for instance HOLDER -> TARGET" */
static void sum_print(const struct paper *paper, const struct lines *lines, size_t from, size_t to,
	const char *more)
{
	const char *where = holders[lines->line[from].holder].where;
	char number[NUMBER_SIZE], *instance;
	uint64_t words = 0;
	size_t i;

	for (i = from; i < to; i++)
		words += lines->line[i].words;
	instance = dangling_text(lines->leaks, lines->line[from].dangling);
	paper_print(paper, INK_PLAIN, "    %s%s in %s, for instance %s (--all shows each)\n",
		number_text(number, words), more, where, instance);
	free(instance);
}

/* Each of them says something of its own. */
static bool is_named(enum holder holder)
{
	return holder == HOLDER_HOOK || holder == HOLDER_VARIABLE;
}

/* Prints those of one kind of holder, from line i on; returns the line behind them. */
static size_t holder_print(const struct paper *paper, const struct lines *lines, size_t i, bool all)
{
	enum holder holder = lines->line[i].holder;
	size_t most = holders[holder].lines, end, shown;

	for (end = i; end < lines->count && lines->line[end].holder == holder; end++)
		;
	shown = all || end - i <= most ? end : i;
	if (shown == i && is_named(holder))
		shown = i + most;
	for (; i < shown; i++)
		line_print(paper, lines->leaks, &lines->line[i]);
	if (i < end)
		sum_print(paper, lines, i, end, is_named(holder) ? " more" : "");
	return end;
}

static void lines_print(
	const struct paper *paper, struct lines *lines, const char *title, enum ink ink, bool all)
{
	size_t i = 0;

	if (lines->count)
		paper_print(paper, ink, "\n  %s\n", title);
	while (i < lines->count)
		i = holder_print(paper, lines, i, all);
	free(lines->line);
}

void text_danglings_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all)
{
	struct lines lines;

	lines_fill(&lines, leaks, module, false, false);
	lines_print(
		paper, &lines, "warning: dangling pointers into what was unmapped", INK_WARN, all);
	lines_fill(&lines, leaks, module, true, false);
	lines_print(paper, &lines, "hooks that led into what was unmapped", INK_PLAIN, all);
	if (!all)
		return;
	lines_fill(&lines, leaks, module, false, true);
	lines_print(paper, &lines,
		"possibly stale pointers: a local variable, or a leftover that nobody reads again",
		INK_FAINT, all);
}
