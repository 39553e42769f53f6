/* SPDX-License-Identifier: MIT */
#include "cli/leaks-report.h"

#include "cli/text-place.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_LINES 20	    /* of one session; more are counted */
#define GENERATION_LINES 24 /* of one module; more are summed up */

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

/* Two generations of which the same can be said in one line. */
static bool generations_alike(
	const struct session_generation *a, const struct session_generation *b)
{
	return a->state == b->state && a->leaked_blocks == b->leaked_blocks &&
	       a->leaked_bytes == b->leaked_bytes && a->kept_blocks == b->kept_blocks &&
	       a->kept_bytes == b->kept_bytes && a->reclaimed_blocks == b->reclaimed_blocks &&
	       a->reclaimed_bytes == b->reclaimed_bytes && a->stop_errno == b->stop_errno;
}

static void print_residue_words(
	const struct paper *paper, const struct session_generation *g, const char *each)
{
	struct tally left = tally_of(g->leaked_blocks, g->leaked_bytes);
	struct tally kept = tally_of(g->kept_blocks, g->kept_bytes);
	struct tally freed = tally_of(g->reclaimed_blocks, g->reclaimed_bytes);
	char text[NUMBER_SIZE], part[NUMBER_SIZE];
	bool leaked = left.blocks;

	/* What was kept and is freed by now had been left, too. */
	tally_add(&left, tally_less(freed, left));
	tally_add(&left, kept);
	if (!left.blocks) {
		paper_print(paper, INK_GOOD, "%sleft nothing", each);
		return;
	}
	paper_print(paper, leaked ? INK_BAD : INK_WARN, "%sleft %s", each, tally_text(text, left));
	if (kept.blocks && kept.blocks < left.blocks)
		paper_print(paper, INK_PLAIN, " (%s kept)", number_text(part, kept.blocks));
	else if (kept.blocks)
		paper_print(paper, INK_PLAIN, ", kept");
}

static void print_generations(const struct paper *paper, const struct session *session,
	const struct session_generation *first, const struct session_generation *last)
{
	const char *each = first == last ? "" : "each ";
	char *reason;

	if (first == last)
		paper_print(paper, INK_PLAIN, "  generation %" PRIu32 ": ", first->number);
	else
		paper_print(paper, INK_PLAIN, "  generations %" PRIu32 "-%" PRIu32 ": ",
			first->number, last->number);
	if (first->state == SESSION_LOADED) {
		paper_print(paper, INK_PLAIN, "still loaded\n");
		return;
	}
	if (first->state != SESSION_UNLOADED_BLIND) {
		print_residue_words(paper, first, each);
		paper_print(paper, INK_PLAIN, "\n");
		return;
	}
	reason = stop_reason(session, first);
	paper_print(paper, INK_WARN,
		"%sunloaded, but its memory was not looked through: %s; nothing was freed\n", each,
		reason);
	free(reason);
}

static void print_module_generations(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	const struct index_list *list = &module->generations;
	const struct session_generation *first, *last;
	char text[NUMBER_SIZE];
	size_t i, k, lines = 0;

	for (i = 0; i < list->count; i = k, lines++) {
		if (lines == GENERATION_LINES) {
			paper_print(paper, INK_PLAIN, "  and %s more\n",
				count_text(text, list->count - i, "generation"));
			break;
		}
		first = last = session_generation(leaks->session, list->index[i]);
		for (k = i + 1; k < list->count; k++) {
			const struct session_generation *next;

			next = session_generation(leaks->session, list->index[k]);
			if (!generations_alike(first, next))
				break;
			last = next;
		}
		print_generations(paper, leaks->session, first, last);
	}
}

static void print_module(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all)
{
	char text[NUMBER_SIZE];
	size_t i, k, places = 0;

	print_module_title(paper, leaks, module);
	print_module_generations(paper, leaks, module);
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
	for (k = 0; k < module->place_count; k++)
		if (all || place_is_for_text(&module->places[k]))
			text_place_print(paper, leaks, &module->places[k]);
}

/* Never unloaded and nothing to say about: one of many in a host of many modules. */
static bool module_is_quiet(const struct leaks_module *module)
{
	size_t i;

	for (i = 0; i < module->place_count; i++)
		if (place_is_for_text(&module->places[i]))
			return false;
	return module->loaded == module->generations.count;
}

static void print_quiet_modules(const struct paper *paper, size_t count, struct tally live)
{
	char modules[NUMBER_SIZE], text[NUMBER_SIZE];

	if (!count)
		return;
	paper_print(paper, INK_PLAIN, "\nnever unloaded: %s", count_text(modules, count, "module"));
	if (live.blocks)
		paper_print(paper, INK_PLAIN, ", with %s in use", tally_text(text, live));
	paper_print(paper, INK_PLAIN, "\n");
}

static void print_modules(const struct paper *paper, const struct leaks *leaks, bool all)
{
	const struct leaks_module *module;
	struct tally live = {0};
	size_t i, quiet = 0;

	if (!leaks->module_count)
		paper_print(paper, INK_PLAIN, "\nno module was loaded\n");
	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		if (all || !module_is_quiet(module)) {
			print_module(paper, leaks, module, all);
			continue;
		}
		quiet++;
		tally_add(&live, module->live);
	}
	print_quiet_modules(paper, quiet, live);
}

static void print_notes(const struct paper *paper, const struct leaks *leaks)
{
	const struct session *session = leaks->session;
	uint64_t count = session->count[SESSION_NOTES], i;
	char *text, number[NUMBER_SIZE];

	for (i = 1; i < count && i <= NOTE_LINES; i++) {
		text = note_text(leaks->names, session, session_note(session, i));
		paper_print(paper, INK_WARN, "%snote: %s\n", i == 1 ? "\n" : "", text);
		free(text);
	}
	if (i < count)
		paper_print(
			paper, INK_WARN, "and %s more\n", count_text(number, count - i, "note"));
}

void report_write_text(const struct report *report, const struct paper *paper)
{
	const struct leaks *leaks;
	size_t i;

	for (i = 0; i < report->count; i++) {
		leaks = report->leaks[i];
		print_title(paper, leaks);
		print_modules(paper, leaks, report->all);
		print_notes(paper, leaks);
		paper_print(paper, INK_PLAIN, "\n");
	}
	report_write_summary(report, paper);
}

static const char *freed_words(struct tally leaked, struct tally reclaimed)
{
	if (reclaimed.blocks == 0)
		return "not freed";
	return reclaimed.blocks >= leaked.blocks ? "freed" : "partly freed";
}

void report_write_summary(const struct report *report, const struct paper *paper)
{
	struct tally leaked = {0}, reclaimed = {0}, kept = {0}, dropped = {0};
	char modules[NUMBER_SIZE], generations[NUMBER_SIZE], text[NUMBER_SIZE];
	size_t i, files = 0, unloaded = 0;

	for (i = 0; i < report->count; i++) {
		files += report->leaks[i]->file_count;
		unloaded += report->leaks[i]->unloaded;
		tally_add(&leaked, report->leaks[i]->leaked);
		tally_add(&reclaimed, report->leaks[i]->reclaimed);
		tally_add(&kept, report->leaks[i]->kept);
		tally_add(&dropped, report->leaks[i]->dropped);
	}
	paper_print(paper, INK_TITLE,
		"relib: %s, %s unloaded: ", count_text(modules, files, "module"),
		count_text(generations, unloaded, "generation"));
	if (leaked.blocks)
		paper_print(paper, INK_BAD, "leaked %s (%s)", tally_text(text, leaked),
			freed_words(leaked, reclaimed));
	if (dropped.blocks)
		paper_print(paper, INK_BAD, "%sdropped %s", leaked.blocks ? ", " : "",
			tally_text(text, dropped));
	if (kept.blocks)
		paper_print(paper, INK_WARN, "%skept %s",
			leaked.blocks || dropped.blocks ? ", " : "", tally_text(text, kept));
	if (!leaked.blocks && !dropped.blocks && !kept.blocks)
		paper_print(paper, INK_GOOD, "nothing left");
	paper_print(paper, INK_PLAIN, "\n");
}
