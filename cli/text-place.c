/* SPDX-License-Identifier: MIT */
#include "cli/text-place.h"

#include "cli/text-leftover.h"
#include "cli/text-stack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_LINES 4 /* of one place; more are summed up */

bool place_is_for_text(const struct leaks *leaks, const struct leaks_place *place)
{
	if (KINDS_HAS(leaks->kinds, KIND_MEMORY) &&
		(place->totals.leaked.blocks || place->totals.kept.blocks ||
			place->totals.dropped.blocks || place->record->late_frees))
		return true;
	return place_has_leftovers(leaks, place);
}

/* "(1 block, 64 bytes in each of 10 generations)" or what is true of it. */
static void print_spread(
	const struct paper *paper, const struct session *session, const struct leaks_place *place)
{
	const struct session_residue *residue;
	struct tally one = {0}, each = {0};
	char text[NUMBER_SIZE], count[NUMBER_SIZE];
	uint32_t generation = 0;
	size_t i, found = 0;
	bool alike = true;

	for (i = 0; i < place->residues.count; i++) {
		residue = session_residue(session, place->residues.index[i]);
		one = tally_of(residue->leaked_blocks, residue->leaked_bytes);
		if (!one.blocks)
			continue;
		if (found++ == 0) {
			each = one;
			generation = session_generation(session, residue->generation)->number;
		}
		alike &= one.blocks == each.blocks && one.bytes == each.bytes;
	}
	if (found == 1)
		paper_print(paper, INK_PLAIN, " (in generation %" PRIu32 ")", generation);
	else if (found && alike)
		paper_print(paper, INK_PLAIN, " (%s in each of %s)", tally_text(text, each),
			count_text(count, found, "generation"));
	else if (found)
		paper_print(paper, INK_PLAIN, " (in %s)", count_text(count, found, "generation"));
}

static void print_leaked(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_place *place)
{
	const struct place_totals *totals = &place->totals;
	char text[NUMBER_SIZE];

	paper_print(paper, INK_BAD, "  leaked %s", tally_text(text, totals->leaked));
	print_spread(paper, leaks->session, place);
	if (totals->reclaimed.blocks >= totals->leaked.blocks)
		paper_print(paper, INK_PLAIN, ", freed by relib\n");
	else if (!totals->reclaimed.blocks)
		paper_print(paper, INK_PLAIN, ", not freed\n");
	else
		paper_print(paper, INK_PLAIN, ", of them freed by relib %s\n",
			tally_text(text, totals->reclaimed));
}

/* Distinct texts only: ten generations kept by one variable are one line. */
static void print_roots(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_place *place)
{
	const struct session_residue *residue;
	char *shown[ROOT_LINES], *text;
	size_t i, k, count = 0, more = 0;

	for (i = 0; i < place->residues.count; i++) {
		residue = session_residue(leaks->session, place->residues.index[i]);
		if (!residue->kept_blocks || residue->root.kind == SESSION_ROOT_NONE)
			continue;
		text = names_root(leaks->names, leaks->session, &residue->root);
		for (k = 0; k < count && strcmp(shown[k], text) != 0; k++)
			;
		if (k == ROOT_LINES)
			more++;
		if (k < count || k == ROOT_LINES) {
			free(text);
			continue;
		}
		shown[count++] = text;
		paper_print(paper, INK_PLAIN, "    still referred to by %s\n", text);
	}
	if (more)
		paper_print(paper, INK_PLAIN, "    and by other places in %zu more generation%s\n",
			more, more == 1 ? "" : "s");
	for (k = 0; k < count; k++)
		free(shown[k]);
}

static void print_late_frees(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_place *place)
{
	const struct session_place *record = place->record;
	char *caller = record->late_free_frame
			       ? names_line(leaks->names, record->late_free_frame, record->object)
			       : NULL;

	paper_print(paper, INK_WARN,
		"    freed %" PRIu32 " time%s after relib had freed it (ignored)%s%s\n",
		record->late_frees, record->late_frees == 1 ? "" : "s", caller ? ", last by " : "",
		caller ? caller : "");
	free(caller);
}

static void print_memory(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_place *place, bool all)
{
	const struct place_totals *totals = &place->totals;
	char text[NUMBER_SIZE];

	if (totals->leaked.blocks)
		print_leaked(paper, leaks, place);
	if (totals->dropped.blocks) {
		paper_print(paper, INK_BAD, "  dropped %s", tally_text(text, totals->dropped));
		paper_print(paper, INK_PLAIN,
			": kept at first, freed by relib once nothing referred to %s\n",
			totals->dropped.blocks == 1 ? "it" : "them");
	}
	if (totals->kept.blocks) {
		paper_print(paper, INK_WARN, "  kept %s\n", tally_text(text, totals->kept));
		print_roots(paper, leaks, place);
	}
	if ((all || place->record->late_frees) && !totals->leaked.blocks && !totals->kept.blocks &&
		!totals->dropped.blocks && totals->allocated.blocks) {
		paper_print(paper, INK_PLAIN, "  acquired %s", tally_text(text, totals->allocated));
		paper_print(paper, INK_PLAIN, "; in use %s\n", tally_text(text, totals->live));
	}
	if (place->record->late_frees)
		print_late_frees(paper, leaks, place);
}

void text_place_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_place *place, bool all)
{
	struct text_stack stack = stack_of_place(place->record);

	paper_print(paper, INK_PLAIN, "\n");
	if (KINDS_HAS(leaks->kinds, KIND_MEMORY))
		print_memory(paper, leaks, place, all);
	text_leftovers_print(paper, leaks, place, all);
	text_stack_print(paper, leaks, &stack);
}
