/* SPDX-License-Identifier: MIT */
#include "cli/text-leftover.h"

#include "cli/balance.h"
#include "cli/dangling.h"
#include "cli/text-balance.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LINES 4 /* of one kind at one place; more are counted */

/* Leftovers of which the same can be said but for their numbers. */
struct line {
	const struct session_leftover *first;
	size_t count;
	bool same_number;
};

/* What happened at one place with one kind. */
struct kind_at_place {
	struct balance_sum sum;
	struct tally each;   /* of a generation that left some */
	size_t generations;  /* that left some */
	uint32_t generation; /* the first of these */
	bool alike;
};

static bool is_left(const struct leaks *leaks, const struct session_balance *balance)
{
	struct balance_sum sum = {0};

	balance_add(leaks, &sum, balance);
	return balance_residue(&sum).blocks != 0;
}

bool place_has_leftovers(const struct leaks *leaks, const struct leaks_place *place)
{
	const struct session_balance *balance;
	size_t i;

	for (i = 0; i < place->balances.count && place->things; i++) {
		balance = session_balance(leaks->session, place->balances.index[i]);
		if (KINDS_HAS(leaks->kinds, resource_kind_of(balance)) && is_left(leaks, balance))
			return true;
	}
	return false;
}

static char *number_words(const struct session_leftover *leftover, uint32_t kind)
{
	char *signal, *text;

	switch (kind) {
	case SESSION_DESCRIPTOR:
		return text_format("descriptor %" PRIu64, leftover->number);
	case SESSION_CHILD:
		return text_format("process %" PRIu64, leftover->number);
	case SESSION_FILE_LOCK:
		return text_format("lock by descriptor %" PRIu64, leftover->number);
	case SESSION_SHM_ID:
	case SESSION_SEM_ID:
	case SESSION_QUEUE_ID:
		return text_format("id %" PRIu64, leftover->number);
	case SESSION_SIGNAL_HANDLER:
	case SESSION_TIMER:
		if (kind == SESSION_TIMER && !leftover->number)
			return text_copy("");
		signal = signal_text(leftover->number);
		text = text_format(kind == SESSION_TIMER ? "timer of %s" : "%s", signal);
		free(signal);
		return text;
	case SESSION_MAPPING:
	case SESSION_SEGMENT:
		return text_format("at 0x%" PRIx64, leftover->number);
	default:
		return text_copy("");
	}
}

/* What it is called where it lies; its text says what else is known. */
static char *mutex_words(
	const struct leaks *leaks, const struct session_leftover *leftover, const char *text)
{
	size_t length = strcspn(text, " ,");
	char *where = leftover->root.kind == SESSION_ROOT_NONE
			      ? text_format("at 0x%" PRIx64, leftover->number)
			      : names_root(leaks->names, leaks->session, &leftover->root);
	char *words;

	words = text_format("%.*s %s%s", length ? (int)length : 5, length ? text : "mutex", where,
		text + length);
	free(where);
	return words;
}

char *leftover_text(
	const struct leaks *leaks, const struct session_leftover *leftover, bool with_number)
{
	const struct session *session = leaks->session;
	uint32_t kind = resource_kind_of(session_balance(session, leftover->balance));
	const char *text = session_string(session, leftover->text);
	char *number, *words;

	if (kind == SESSION_MUTEX)
		return mutex_words(leaks, leftover, text);
	number = number_words(leftover, kind);
	if (!*text && !*number)
		words = text_copy(resource_kind(kind)->noun);
	else if (kind == SESSION_TIMER && *text && strstr(number, text))
		words = text_copy(number);
	else if (!*text || !*number || !with_number)
		words = text_copy(*text ? text : with_number ? number : resource_kind(kind)->noun);
	else
		words = text_format("%s: %s", number, text);
	free(number);
	return words;
}

static bool roots_alike(const struct session_root *a, const struct session_root *b)
{
	return a->kind == b->kind && a->reg == b->reg && a->object == b->object &&
	       a->offset == b->offset && a->address == b->address;
}

static bool lines_alike(const struct session *session, const struct session_leftover *a,
	const struct session_leftover *b)
{
	return a->state == b->state && roots_alike(&a->root, &b->root) &&
	       strcmp(session_string(session, a->text), session_string(session, b->text)) == 0 &&
	       strcmp(session_string(session, a->why), session_string(session, b->why)) == 0;
}

/* Those that come after LINES different ones have none. */
static size_t lines_fill(struct line lines[LINES], const struct leaks *leaks,
	const struct leaks_place *place, uint32_t kind)
{
	const struct session *session = leaks->session;
	const struct session_leftover *leftover;
	size_t i, k, count = 0;

	for (i = 0; i < place->leftovers.count; i++) {
		leftover = session_leftover(session, place->leftovers.index[i]);
		if (resource_kind_of(session_balance(session, leftover->balance)) != kind)
			continue;
		for (k = 0; k < count && !lines_alike(session, lines[k].first, leftover); k++)
			;
		if (k == LINES)
			continue;
		if (k == count)
			lines[count++] = (struct line){leftover, 0, true};
		lines[k].count++;
		lines[k].same_number &= lines[k].first->number == leftover->number;
	}
	return count;
}

static void line_print(const struct paper *paper, const struct leaks *leaks,
	const struct line *line, uint32_t kind)
{
	const struct session_leftover *leftover = line->first;
	const char *why = session_string(leaks->session, leftover->why);
	const struct resource_kind *words = resource_kind(kind);
	char *text = leftover_text(leaks, leftover, line->same_number), number[NUMBER_SIZE];
	bool says_more =
		strcmp(text, words->noun) != 0 || *why || leftover->root.kind != SESSION_ROOT_NONE;

	if (says_more)
		paper_print(paper, INK_PLAIN, "    %s", text);
	free(text);
	if (!says_more)
		return;
	if (line->count > 1)
		paper_print(paper, INK_PLAIN, ", %s times", number_text(number, line->count));
	if (leftover->state == SESSION_TAKEN_BACK)
		paper_print(paper, INK_PLAIN, ", %s", words->undone ? words->undone : "taken back");
	else if (leftover->state == SESSION_GIVEN_BACK)
		paper_print(paper, INK_GOOD, ", given back later");
	if (leftover->root.kind != SESSION_ROOT_NONE && kind != SESSION_MUTEX) {
		text = names_root(leaks->names, leaks->session, &leftover->root);
		paper_print(paper, INK_WARN, ", kept: %s", text);
		free(text);
	} else if (leftover->state == SESSION_KEPT) {
		paper_print(paper, INK_WARN, ", kept");
	}
	if (*why)
		paper_print(paper, INK_WARN, ", not %s: %s",
			words->undone ? words->undone : "taken back", why);
	paper_print(paper, INK_PLAIN, "\n");
}

static void kinds_fill(struct kind_at_place kinds[SESSION_RESOURCES], const struct leaks *leaks,
	const struct leaks_place *place)
{
	const struct session_balance *balance;
	struct kind_at_place *at;
	struct balance_sum sum;
	size_t i;

	for (i = 0; i < place->balances.count; i++) {
		balance = session_balance(leaks->session, place->balances.index[i]);
		at = &kinds[resource_kind_of(balance)];
		sum = (struct balance_sum){0};
		balance_add(leaks, &sum, balance);
		balance_sum_add(&at->sum, &sum);
		if (!sum.left.blocks)
			continue;
		if (at->generations++ == 0) {
			at->each = sum.left;
			at->generation = balance->generation;
			at->alike = true;
		}
		at->alike &= at->each.blocks == sum.left.blocks && at->each.bytes == sum.left.bytes;
	}
}

/* " (1 in each of 10 generations)" or what is true of it */
static void print_spread(
	const struct paper *paper, const struct leaks *leaks, const struct kind_at_place *at)
{
	char each[NUMBER_SIZE], count[NUMBER_SIZE];

	count_text(count, at->generations, "generation");
	if (at->generations == 1)
		paper_print(paper, INK_PLAIN, " (in generation %" PRIu32 ")",
			session_generation(leaks->session, at->generation)->number);
	else if (at->alike)
		paper_print(paper, INK_PLAIN, " (%s in each of %s)",
			number_text(each, at->each.blocks), count);
	else
		paper_print(paper, INK_PLAIN, " (in %s)", count);
}

static void print_head(const struct paper *paper, const struct leaks *leaks,
	const struct kind_at_place *at, uint32_t kind)
{
	const struct resource_kind *words = resource_kind(kind);
	const struct balance_sum *sum = &at->sum;
	char text[THINGS_SIZE];

	paper_print(paper, words->is_state ? INK_WARN : INK_BAD, "  left %s",
		things_text(text, kind, tally_of(sum->left.blocks, 0)));
	if (sum->left.bytes)
		paper_print(paper, INK_BAD, ", %s", count_text(text, sum->left.bytes, "byte"));
	print_spread(paper, leaks, at);
	if (sum->taken_back.blocks >= sum->left.blocks)
		paper_print(paper, INK_PLAIN, ", %s by relib",
			words->undone ? words->undone : "taken back");
	else if (sum->taken_back.blocks)
		paper_print(paper, INK_PLAIN, ", of them %s by relib %s",
			words->undone ? words->undone : "taken back",
			number_text(text, sum->taken_back.blocks));
	else if (words->undone && !words->is_state && sum->later.blocks < sum->left.blocks)
		paper_print(paper, INK_PLAIN, ", not %s", words->undone);
	if (sum->later.blocks >= sum->left.blocks)
		paper_print(paper, INK_GOOD, ", given back later");
	else if (sum->later.blocks)
		paper_print(paper, INK_PLAIN, ", of them given back later %s",
			number_text(text, sum->later.blocks));
	paper_print(paper, INK_PLAIN, "\n");
}

static void kind_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_place *place, const struct kind_at_place *at, uint32_t kind)
{
	uint64_t named = 0, others;
	struct line lines[LINES];
	char text[NUMBER_SIZE];
	size_t count, i;

	print_head(paper, leaks, at, kind);
	count = lines_fill(lines, leaks, place, kind);
	for (i = 0; i < count; i++) {
		line_print(paper, leaks, &lines[i], kind);
		named += lines[i].count;
	}
	/* Only so many of a balance are told one by one. */
	others = at->sum.left.blocks > named ? at->sum.left.blocks - named : 0;
	if (others && count)
		paper_print(paper, INK_PLAIN, "    and %s more\n", number_text(text, others));
}

void text_leftovers_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_place *place, bool all)
{
	struct kind_at_place kinds[SESSION_RESOURCES] = {0};
	const struct kind_at_place *at;
	char text[THINGS_SIZE], held[NUMBER_SIZE];
	uint32_t kind;

	if (!place->balances.count)
		return;
	kinds_fill(kinds, leaks, place);
	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		at = &kinds[kind];
		if (!KINDS_HAS(leaks->kinds, kind))
			continue;
		if (at->sum.left.blocks && (all || balance_residue(&at->sum).blocks))
			kind_print(paper, leaks, place, at, kind);
		else if (all && at->sum.acquired.blocks)
			paper_print(paper, INK_PLAIN, "  acquired %s; in use %s\n",
				things_text(text, kind, at->sum.acquired),
				number_text(held, at->sum.held.blocks));
	}
}
