/* SPDX-License-Identifier: MIT */
#include "cli/leaks-report.h"

#include "cli/balance.h"
#include "cli/text-balance.h"
#include "cli/text-dangling.h"
#include "cli/text-generation.h"
#include "cli/text-note.h"
#include "cli/text-place.h"
#include "cli/text-quiet.h"
#include "cli/text-thread.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void print_title(const struct paper *paper, const struct leaks *leaks)
{
	const struct session *session = leaks->session;
	const struct session_header *header = session->header;
	const char *command = session_string(session, header->command_line);
	enum session_life life = session_life(header);

	paper_print(paper, INK_TITLE, "%s", *command ? command : "process");
	paper_print(paper, INK_FAINT, "  process %" PRId32 ", %s", header->pid,
		life == SESSION_LIFE_KILLED ? "ended without its exit handlers" : life_name(life));
	if (header->parent_pid)
		paper_print(paper, INK_FAINT, ", forked from %" PRId32, header->parent_pid);
	paper_print(paper, INK_FAINT, "\n%s\n", session->path);
	if (header->flags & SESSION_NOT_INTERPOSED)
		paper_print(paper, INK_WARN,
			"the host brings its own malloc: its memory was not seen, nothing is "
			"reported\n");
	if (header->flags & SESSION_FULL)
		paper_print(
			paper, INK_WARN, "the session was full: what came later is not recorded\n");
	if (header->flags & SESSION_HEAP_FULL)
		paper_print(
			paper, INK_WARN, "the module heap was full: some blocks went untracked\n");
}

static void print_module_title(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	const struct session_object *object = session_object(leaks->session, module->object);
	const char *path = session_string(leaks->session, object->path);
	uint32_t i;

	paper_print(paper, INK_TITLE, "\n%s", names_object(leaks->names, module->object));
	paper_print(paper, INK_FAINT, "  %s", path);
	if (object->build_id_size) {
		paper_print(paper, INK_FAINT, "  build-id ");
		for (i = 0; i < object->build_id_size && i < 4; i++)
			paper_print(paper, INK_FAINT, "%02x", object->build_id[i]);
	}
	paper_print(paper, INK_WARN, "%s", names_file_remark(leaks->names, module->object));
	if (module->brought_by)
		paper_print(paper, INK_FAINT, "\n  brought in by %s",
			names_object(leaks->names, module->brought_by));
	paper_print(paper, INK_PLAIN, "\n");
}

static void print_memory_in_use(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	char text[NUMBER_SIZE];
	size_t i, places = 0;

	if (!KINDS_HAS(leaks->kinds, KIND_MEMORY))
		return;
	if (module->live.blocks)
		paper_print(paper, INK_PLAIN, "  in use by what is still loaded: %s\n",
			tally_text(text, module->live));
	if (module->runtime.blocks) {
		for (i = 0; i < module->place_count; i++)
			places += module->places[i].totals.runtime.blocks != 0;
		paper_print(paper, INK_FAINT, "  held by the C library itself: %s",
			tally_text(text, module->runtime));
		paper_print(paper, INK_FAINT, ", from %s\n", count_text(text, places, "place"));
	}
}

static void print_module(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all)
{
	size_t k;

	print_module_title(paper, leaks, module);
	text_generations_print(paper, leaks, module, all);
	text_growth_print(paper, leaks, module);
	print_memory_in_use(paper, leaks, module);
	for (k = 0; k < module->place_count; k++)
		if (all || place_is_for_text(leaks, &module->places[k]))
			text_place_print(paper, leaks, &module->places[k], all);
	if (KINDS_HAS(leaks->kinds, KIND_THREAD))
		text_threads_print(paper, leaks, module, all);
	if (leaks->kinds == KINDS_ALL)
		text_danglings_print(paper, leaks, module, all);
}

/* It left something, stays, or was called too late. */
static bool module_is_at_fault(const struct leaks *leaks, const struct leaks_module *module)
{
	const struct session_generation *generation;
	const struct leaks_generation *told;
	uint32_t kind;
	size_t i;

	if (module->leaked.blocks || module->kept.blocks || module->dropped.blocks)
		return true;
	for (kind = 0; kind < KINDS; kind++)
		if (!resource_kind(kind)->is_state && balance_residue(&module->sums[kind]).blocks)
			return true;
	for (i = 0; i < module->generations.count; i++) {
		generation = session_generation(leaks->session, module->generations.index[i]);
		told = &leaks->generations[module->generations.index[i]];
		if (generation_is_stuck(generation) || told->late_calls.count ||
			told->timeouts.count)
			return true;
	}
	return false;
}

/* Those that left something, or stay, come before those that others point to. */
static void print_modules(const struct paper *paper, const struct leaks *leaks, bool all)
{
	const struct leaks_module *module;
	struct text_quiet *quiet = text_quiet_open(leaks);
	int pass;
	size_t i;

	if (!leaks->module_count)
		paper_print(paper, INK_PLAIN, "\nno module was loaded\n");
	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < leaks->module_count; i++) {
			module = &leaks->modules[i];
			if ((all || !text_quiet_has(quiet, module)) &&
				module_is_at_fault(leaks, module) == (pass == 0))
				print_module(paper, leaks, module, all);
		}
	}
	if (!all)
		text_quiet_print(paper, quiet);
	text_quiet_close(quiet);
}

void report_write_text(const struct report *report, const struct paper *paper)
{
	const struct leaks *leaks;
	size_t i;

	for (i = 0; i < report->count; i++) {
		leaks = report->leaks[i];
		print_title(paper, leaks);
		print_modules(paper, leaks, report->all);
		if (leaks->kinds == KINDS_ALL)
			text_notes_print(paper, leaks);
		paper_print(paper, INK_PLAIN, "\n");
	}
	report_write_summary(report, paper);
}
