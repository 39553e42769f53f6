/* SPDX-License-Identifier: MIT */
#include "cli/text-quiet.h"

#include "cli/balance.h"
#include "cli/stay.h"
#include "cli/text-generation.h"
#include "cli/text-place.h"
#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

#define PARAGRAPHS 3 /* so many that left nothing have one each */
#define LINE_WIDTH 78

enum quiet {
	QUIET_NOT,
	QUIET_UNASKED,	   /* nothing of the kinds that are asked for */
	QUIET_CLEAN,	   /* unloaded, and left nothing */
	QUIET_POINTED,	   /* the same, but heap memory of the host points into it */
	QUIET_LEFT_BEHIND, /* what brought it is gone, and left nothing itself */
	QUIET_LOADED,	   /* never unloaded */
};

struct text_quiet {
	const struct leaks *leaks;
	enum quiet *of; /* by index in leaks->modules */
};

/* Nothing of the kinds that are asked for. */
static bool module_is_unasked(const struct leaks *leaks, const struct leaks_module *module)
{
	uint32_t kind;

	if (leaks->kinds == KINDS_ALL ||
		(KINDS_HAS(leaks->kinds, KIND_MEMORY) && module->live.blocks) ||
		(KINDS_HAS(leaks->kinds, KIND_THREAD) && module->threads_started))
		return false;
	for (kind = 0; kind < KINDS; kind++)
		if (KINDS_HAS(leaks->kinds, kind) &&
			(module->sums[kind].acquired.blocks || module->sums[kind].left.blocks ||
				module->sums[kind].held.blocks))
			return false;
	return true;
}

/* A generation of it that is loaded though what brought it is gone, or 0. */
static uint32_t left_behind_generation(const struct leaks *leaks, const struct leaks_module *module)
{
	size_t i;

	for (i = 0; i < module->generations.count; i++)
		if (generation_is_left_behind(leaks->session,
			    session_generation(leaks->session, module->generations.index[i])))
			return module->generations.index[i];
	return 0;
}

/* Words in heap memory of the host that pointed into the module when it went. */
static uint64_t heap_words(const struct leaks *leaks, const struct leaks_module *module)
{
	const struct session_dangling *dangling;
	const struct index_list *list;
	uint64_t words = 0;
	size_t i, k;

	for (i = 0; i < module->generations.count; i++) {
		list = &leaks->generations[module->generations.index[i]].danglings;
		for (k = 0; k < list->count; k++) {
			dangling = session_dangling(leaks->session, list->index[k]);
			words += dangling_is_in_heap(dangling) ? dangling->count : 0;
		}
	}
	return words;
}

static enum quiet quiet_of(const struct leaks *leaks, const struct leaks_module *module)
{
	size_t i;

	if (module_is_unasked(leaks, module))
		return QUIET_UNASKED;
	for (i = 0; i < module->place_count; i++)
		if (place_is_for_text(leaks, &module->places[i]))
			return QUIET_NOT;
	for (i = 0; i < module->generations.count; i++)
		if (!generation_is_quiet(leaks, module->generations.index[i]))
			return QUIET_NOT;
	if (heap_words(leaks, module))
		return QUIET_POINTED;
	if (left_behind_generation(leaks, module))
		return QUIET_LEFT_BEHIND;
	return module->loaded < module->generations.count ? QUIET_CLEAN : QUIET_LOADED;
}

struct text_quiet *text_quiet_open(const struct leaks *leaks)
{
	struct text_quiet *quiet = memory_zeroed(1, sizeof(*quiet));
	size_t i, count[QUIET_LOADED + 1] = {0};

	quiet->leaks = leaks;
	quiet->of = memory_zeroed(leaks->module_count, sizeof(*quiet->of));
	for (i = 0; i < leaks->module_count; i++) {
		quiet->of[i] = quiet_of(leaks, &leaks->modules[i]);
		count[quiet->of[i]]++;
	}
	for (i = 0; i < leaks->module_count; i++)
		if ((quiet->of[i] == QUIET_CLEAN || quiet->of[i] == QUIET_POINTED) &&
			count[quiet->of[i]] <= PARAGRAPHS)
			quiet->of[i] = QUIET_NOT;
	return quiet;
}

void text_quiet_close(struct text_quiet *quiet)
{
	free(quiet->of);
	free(quiet);
}

bool text_quiet_has(const struct text_quiet *quiet, const struct leaks_module *module)
{
	return quiet->of[module - quiet->leaks->modules] != QUIET_NOT;
}

struct sum {
	size_t modules, unloads;
	struct tally live;
};

static struct sum quiet_sum(const struct text_quiet *quiet, enum quiet which)
{
	const struct leaks_module *module;
	struct sum sum = {0};
	size_t i;

	for (i = 0; i < quiet->leaks->module_count; i++) {
		module = &quiet->leaks->modules[i];
		if (quiet->of[i] != which)
			continue;
		sum.modules++;
		sum.unloads += module->generations.count - module->loaded;
		tally_add(&sum.live, module->live);
	}
	return sum;
}

static void print_live(const struct paper *paper, struct tally live)
{
	char text[NUMBER_SIZE];

	if (live.blocks)
		paper_print(paper, INK_PLAIN, ", with %s in use", tally_text(text, live));
	paper_print(paper, INK_PLAIN, "\n");
}

/* Their names, in lines of some length. */
static void print_names(const struct paper *paper, const struct text_quiet *quiet, enum quiet which)
{
	const struct leaks *leaks = quiet->leaks;
	char number[NUMBER_SIZE], *item;
	size_t column = 0, i;
	const char *name;

	for (i = 0; i < leaks->module_count; i++) {
		if (quiet->of[i] != which)
			continue;
		name = names_object(leaks->names, leaks->modules[i].object);
		item = which == QUIET_POINTED
			       ? text_format("%s %s", name,
					 number_text(number, heap_words(leaks, &leaks->modules[i])))
			       : text_copy(name);
		if (column && column + strlen(item) + 2 > LINE_WIDTH) {
			paper_print(paper, INK_PLAIN, ",\n");
			column = 0;
		}
		paper_print(paper, INK_PLAIN, "%s%s", column ? ", " : "  ", item);
		column += strlen(item) + 2;
		free(item);
	}
	paper_print(paper, INK_PLAIN, "\n");
}

static void print_clean(const struct paper *paper, const struct text_quiet *quiet)
{
	struct sum sum = quiet_sum(quiet, QUIET_CLEAN);
	char modules[NUMBER_SIZE], unloads[NUMBER_SIZE];

	if (!sum.modules)
		return;
	paper_print(paper, INK_GOOD, "\nunloaded, and left nothing: ");
	paper_print(paper, INK_PLAIN, "%s, %s", count_text(modules, sum.modules, "module"),
		count_text(unloads, sum.unloads, "generation"));
	print_live(paper, sum.live);
	print_names(paper, quiet, QUIET_CLEAN);
}

static void print_pointed(const struct paper *paper, const struct text_quiet *quiet)
{
	struct sum sum = quiet_sum(quiet, QUIET_POINTED);
	char modules[NUMBER_SIZE];

	if (!sum.modules)
		return;
	paper_print(paper, INK_WARN,
		"\nwarning: left nothing, but heap memory of the host points into what was "
		"unmapped: "
		"%s",
		count_text(modules, sum.modules, "module"));
	paper_print(paper, INK_PLAIN, ", each with how many pointers");
	print_live(paper, sum.live);
	print_names(paper, quiet, QUIET_POINTED);
}

static void print_reason(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	const struct index_list *stays =
		&leaks->generations[left_behind_generation(leaks, module)].stays;
	const struct session_stay *stay;
	bool said = false;
	char *text;
	size_t i;

	paper_print(paper, INK_PLAIN, "  %s", names_object(leaks->names, module->object));
	for (i = 0; i < stays->count; i++) {
		stay = session_stay(leaks->session, stays->index[i]);
		if (!stay->current)
			continue;
		text = stay_text(leaks, stay);
		paper_print(paper, INK_PLAIN, "%s %s", said ? "," : ":", text);
		free(text);
		said = true;
	}
	paper_print(paper, INK_PLAIN, "\n");
}

static void print_left_behind(const struct paper *paper, const struct text_quiet *quiet)
{
	struct sum sum = quiet_sum(quiet, QUIET_LEFT_BEHIND);
	char modules[NUMBER_SIZE];
	size_t i;

	if (!sum.modules)
		return;
	paper_print(paper, INK_PLAIN, "\nstill loaded though what brought %s is gone: %s",
		sum.modules == 1 ? "it" : "them", count_text(modules, sum.modules, "module"));
	print_live(paper, sum.live);
	for (i = 0; i < quiet->leaks->module_count; i++)
		if (quiet->of[i] == QUIET_LEFT_BEHIND)
			print_reason(paper, quiet->leaks, &quiet->leaks->modules[i]);
}

void text_quiet_print(const struct paper *paper, const struct text_quiet *quiet)
{
	struct sum loaded = quiet_sum(quiet, QUIET_LOADED);
	char modules[NUMBER_SIZE];

	print_pointed(paper, quiet);
	print_clean(paper, quiet);
	print_left_behind(paper, quiet);
	if (!loaded.modules)
		return;
	paper_print(paper, INK_PLAIN, "\nnever unloaded: %s",
		count_text(modules, loaded.modules, "module"));
	print_live(paper, loaded.live);
}
