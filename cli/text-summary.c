/* SPDX-License-Identifier: MIT */
#include "cli/leaks-report.h"

#include "cli/text-balance.h"

#include <inttypes.h>
#include <string.h>

#define KINDS_NAMED 4 /* kinds of things in the summary; the rest is counted */

/* Of all sessions of a report. */
struct summary {
	size_t files, unloaded;
	struct tally leaked, reclaimed, kept, dropped;
	struct tally left[SESSION_RESOURCES], behind[SESSION_RESOURCES];
	struct leaks_faults faults;
	kind_set kinds;
	bool said; /* something, so that a comma comes before the next */
};

static const char *freed_words(struct tally leaked, struct tally reclaimed)
{
	if (reclaimed.blocks == 0)
		return "not freed";
	return reclaimed.blocks >= leaked.blocks ? "freed" : "partly freed";
}

/* ", " before all but the first of what is said. */
static void print_item(const struct paper *paper, enum ink ink, struct summary *summary,
	const char *verb, const char *what)
{
	paper_print(paper, INK_PLAIN, "%s", summary->said ? ", " : "");
	paper_print(paper, ink, "%s%s", verb, what);
	summary->said = true;
}

static void print_count(const struct paper *paper, enum ink ink, struct summary *summary,
	uint64_t count, const char *noun, const char *more)
{
	char text[NUMBER_SIZE];

	if (!count)
		return;
	print_item(paper, ink, summary, "", count_text(text, count, noun));
	paper_print(paper, ink, "%s", more);
}

static void faults_add(struct leaks_faults *sum, const struct leaks_faults *more)
{
	sum->not_unloaded += more->not_unloaded;
	sum->threads_left += more->threads_left;
	sum->late_calls += more->late_calls;
	sum->timeouts += more->timeouts;
	sum->things += more->things;
	sum->changes += more->changes;
	sum->dangling += more->dangling;
}

static void summary_add(struct summary *summary, const struct leaks *leaks)
{
	uint32_t kind;

	summary->kinds = leaks->kinds;
	summary->files += leaks->file_count;
	summary->unloaded += leaks->unloaded;
	tally_add(&summary->leaked, leaks->leaked);
	tally_add(&summary->reclaimed, leaks->reclaimed);
	tally_add(&summary->kept, leaks->kept);
	tally_add(&summary->dropped, leaks->dropped);
	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		tally_add(&summary->left[kind], leaks->left[kind]);
		tally_add(&summary->behind[kind], leaks->behind[kind]);
	}
	faults_add(&summary->faults, &leaks->faults);
}

static void print_memory(const struct paper *paper, struct summary *summary)
{
	char text[NUMBER_SIZE];

	if (!KINDS_HAS(summary->kinds, KIND_MEMORY))
		return;
	if (summary->leaked.blocks) {
		print_item(paper, INK_BAD, summary, "leaked ", tally_text(text, summary->leaked));
		paper_print(
			paper, INK_BAD, " (%s)", freed_words(summary->leaked, summary->reclaimed));
	}
	if (summary->dropped.blocks)
		print_item(paper, INK_BAD, summary, "dropped ", tally_text(text, summary->dropped));
	if (summary->kept.blocks)
		print_item(paper, INK_WARN, summary, "kept ", tally_text(text, summary->kept));
}

/* "2 descriptors (closed), 1 mapping left" */
static void print_things(const struct paper *paper, struct summary *summary)
{
	uint64_t more = 0;
	char text[THINGS_SIZE];
	uint32_t kind;
	size_t named = 0;

	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		if (!summary->left[kind].blocks || resource_kind(kind)->is_state)
			continue;
		if (named++ >= KINDS_NAMED) {
			more += summary->left[kind].blocks;
			continue;
		}
		print_item(paper, INK_BAD, summary, "",
			things_text(text, kind, tally_of(summary->left[kind].blocks, 0)));
		if (!summary->behind[kind].blocks && resource_kind(kind)->undone)
			paper_print(paper, INK_PLAIN, " (%s)", resource_kind(kind)->undone);
	}
	if (more)
		print_count(paper, INK_BAD, summary, more, "other thing", "");
	if (named)
		paper_print(paper, INK_BAD, " left");
}

static void print_faults(const struct paper *paper, struct summary *summary)
{
	const struct leaks_faults *faults = &summary->faults;

	if (summary->kinds == KINDS_ALL)
		print_count(paper, INK_BAD, summary, faults->not_unloaded, "generation",
			" could not be unloaded");
	if (KINDS_HAS(summary->kinds, KIND_THREAD))
		print_count(
			paper, INK_BAD, summary, faults->threads_left, "thread", " left running");
	if (summary->kinds != KINDS_ALL)
		return;
	print_count(paper, INK_BAD, summary, faults->late_calls, "late call", "");
	print_count(paper, INK_BAD, summary, faults->timeouts, "unload", " timed out");
}

/* Nothing that the modules left: what they set, and who still points to them. */
static void print_warnings(const struct paper *paper, struct summary *summary)
{
	char text[THINGS_SIZE];
	uint64_t changes = 0;
	size_t changed = 0; /* kinds of them */
	uint32_t kind;

	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		changed += summary->left[kind].blocks && resource_kind(kind)->is_state;
		if (resource_kind(kind)->is_state)
			changes += summary->left[kind].blocks;
	}
	for (kind = 0; kind < SESSION_RESOURCES && changed == 1; kind++)
		if (summary->left[kind].blocks && resource_kind(kind)->is_state)
			print_item(paper, INK_WARN, summary, "",
				things_text(text, kind, summary->left[kind]));
	if (changed > 1)
		print_count(paper, INK_WARN, summary, changes, "change", " of the process's state");
	if (summary->kinds == KINDS_ALL)
		print_count(
			paper, INK_WARN, summary, summary->faults.dangling, "dangling pointer", "");
}

void report_write_summary(const struct report *report, const struct paper *paper)
{
	struct summary summary = {.kinds = KINDS_ALL};
	char modules[NUMBER_SIZE], generations[NUMBER_SIZE];
	size_t i;

	for (i = 0; i < report->count; i++)
		summary_add(&summary, report->leaks[i]);
	paper_print(paper, INK_TITLE,
		"relib: %s, %s unloaded: ", count_text(modules, summary.files, "module"),
		count_text(generations, summary.unloaded, "generation"));
	print_memory(paper, &summary);
	print_things(paper, &summary);
	print_faults(paper, &summary);
	if (!summary.said)
		print_item(paper, INK_GOOD, &summary, "", "nothing left");
	print_warnings(paper, &summary);
	paper_print(paper, INK_PLAIN, "\n");
}
