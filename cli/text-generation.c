/* SPDX-License-Identifier: MIT */
#include "cli/text-generation.h"

#include "cli/leaks-report.h"
#include "cli/stay.h"
#include "cli/text-balance.h"
#include "cli/text-stack.h"

#include <inttypes.h>
#include <stdlib.h>

#define GENERATION_LINES 24 /* of one module; more are summed up */
#define BALANCE_LINES 80    /* of the balances of these; then follows that of all alone */

/* Generations that follow each other and of which the same can be said. */
struct group {
	const struct session_generation *first, *last;
	struct text_balance balance; /* of the first, and of those that left the same */
	size_t balance_lines;
	bool left_things; /* some of them did */
};

/* A generation that is still loaded has a reason, which is told line by line. */
static bool generation_has_details(const struct leaks *leaks, uint32_t index)
{
	return session_generation(leaks->session, index)->state == SESSION_LOADED &&
	       leaks->generations[index].stays.count;
}

static bool histories_alike(const struct session_generation *a, const struct session_generation *b)
{
	const uint32_t told = SESSION_FINALIZED_EARLY | SESSION_TIMED_OUT;

	return ((a->how ^ b->how) & told) == 0 && a->deferrals == b->deferrals &&
	       a->refusals == b->refusals && a->revivals == b->revivals &&
	       a->locals_run == b->locals_run && a->locals_dropped == b->locals_dropped &&
	       a->keys_deleted == b->keys_deleted && a->key_values_run == b->key_values_run &&
	       (a->state != SESSION_LOADED || a->closing == b->closing);
}

static bool memory_alike(const struct session_generation *a, const struct session_generation *b)
{
	return a->leaked_blocks == b->leaked_blocks && a->leaked_bytes == b->leaked_bytes &&
	       a->kept_blocks == b->kept_blocks && a->kept_bytes == b->kept_bytes &&
	       a->reclaimed_blocks == b->reclaimed_blocks &&
	       a->reclaimed_bytes == b->reclaimed_bytes;
}

/* Two generations of which the same can be said in one line. */
static bool generations_alike(const struct leaks *leaks, const struct session_generation *a,
	const struct session_generation *b)
{
	return a->state == b->state && a->stop_errno == b->stop_errno && histories_alike(a, b) &&
	       (!KINDS_HAS(leaks->kinds, KIND_MEMORY) || memory_alike(a, b));
}

static bool generation_left_things(const struct leaks *leaks, uint32_t index)
{
	struct balance_sum sums[KINDS];
	uint32_t kind;

	generation_sums(leaks, index, sums);
	for (kind = 0; kind < SESSION_RESOURCES; kind++)
		if (balance_residue(&sums[kind]).blocks)
			return true;
	return false;
}

/* Something may still call or read what is not there any more, and it has a name. */
static bool has_named_danglings(const struct leaks *leaks, const struct leaks_generation *told)
{
	const struct session_dangling *dangling;
	size_t i;

	for (i = 0; i < told->danglings.count; i++) {
		dangling = session_dangling(leaks->session, told->danglings.index[i]);
		if (!dangling_may_be_stale(dangling) && !dangling_is_in_heap(dangling))
			return true;
	}
	return false;
}

bool generation_is_quiet(const struct leaks *leaks, uint32_t generation)
{
	const struct session_generation *record = session_generation(leaks->session, generation);
	const struct leaks_generation *told = &leaks->generations[generation];

	return record->state != SESSION_UNLOADED_BLIND && !generation_is_stuck(record) &&
	       !has_named_danglings(leaks, told) && !told->late_calls.count &&
	       !told->timeouts.count && !(record->how & ~(uint32_t)SESSION_GUARDED) &&
	       !generation_left_things(leaks, generation);
}

static void print_residue_words(const struct paper *paper, const struct leaks *leaks,
	const struct group *group, const char *each)
{
	const struct session_generation *g = group->first;
	struct tally left = tally_of(g->leaked_blocks, g->leaked_bytes);
	struct tally kept = tally_of(g->kept_blocks, g->kept_bytes);
	struct tally freed = tally_of(g->reclaimed_blocks, g->reclaimed_bytes);
	char text[NUMBER_SIZE], part[NUMBER_SIZE];
	bool leaked = left.blocks;

	if (!KINDS_HAS(leaks->kinds, KIND_MEMORY)) {
		paper_print(paper, INK_PLAIN, "%sunloaded", each);
		return;
	}
	/* What was kept and is freed by now had been left, too. */
	tally_add(&left, tally_less(freed, left));
	tally_add(&left, kept);
	if (!left.blocks) {
		paper_print(paper, INK_GOOD, "%sleft no%s", each,
			group->left_things ? " memory" : "thing");
		return;
	}
	paper_print(paper, leaked ? INK_BAD : INK_WARN, "%sleft %s", each, tally_text(text, left));
	if (kept.blocks && kept.blocks < left.blocks)
		paper_print(paper, INK_PLAIN, " (%s kept)", number_text(part, kept.blocks));
	else if (kept.blocks)
		paper_print(paper, INK_PLAIN, ", kept");
}

static void print_times(const struct paper *paper, const char *what, uint32_t count)
{
	if (count == 1)
		paper_print(paper, INK_PLAIN, "; %s once", what);
	else if (count)
		paper_print(paper, INK_PLAIN, "; %s %" PRIu32 " times", what, count);
}

static void print_things(
	const struct paper *paper, enum ink ink, uint32_t count, const char *noun, const char *what)
{
	char text[NUMBER_SIZE];

	if (count)
		paper_print(paper, ink, "; %s %s", count_text(text, count, noun), what);
}

/* What happened on the way to the unload. */
static void print_history(
	const struct paper *paper, const struct leaks *leaks, const struct group *group)
{
	const struct session_generation *g = group->first;

	print_times(paper, "deferred", g->deferrals);
	print_times(paper, "refused", g->refusals);
	print_times(paper, "revived", g->revivals);
	if (g->how & SESSION_FINALIZED_EARLY)
		paper_print(paper, INK_PLAIN, "; finalized early");
	if (g->how & SESSION_TIMED_OUT)
		paper_print(paper, INK_BAD, "; an unload timed out");
	/* they are lines of the balance as well */
	if (!KINDS_HAS(leaks->kinds, KIND_KEY) || group->balance_lines)
		return;
	print_things(paper, INK_PLAIN, g->locals_run, "thread-local destructor", "run");
	print_things(paper, INK_WARN, g->locals_dropped, "thread-local destructor", "dropped");
	print_things(paper, INK_PLAIN, g->keys_deleted, "key", "deleted");
	print_things(paper, INK_PLAIN, g->key_values_run, "key destructor", "run");
}

static void print_loaded(
	const struct paper *paper, const struct leaks *leaks, const struct session_generation *g)
{
	static const char *const words[] = {
		[SESSION_OPEN] = "still loaded",
		[SESSION_STAYED] = "still loaded after dlclose",
		[SESSION_DEFERRED] = "still loaded, its unload is deferred",
		[SESSION_REFUSED] = "still loaded, dlclose was refused",
		[SESSION_ABANDONED] = "still loaded for good, its unload was abandoned",
	};
	bool known = g->closing < sizeof(words) / sizeof(words[0]);

	paper_print(paper, generation_is_stuck(g) ? INK_BAD : INK_PLAIN, "%s",
		words[known ? g->closing : SESSION_OPEN]);
	if (generation_is_left_behind(leaks->session, g))
		paper_print(paper, INK_PLAIN, " though what brought it is gone");
}

static void print_group(
	const struct paper *paper, const struct leaks *leaks, const struct group *group)
{
	const struct session_generation *first = group->first, *last = group->last;
	const char *each = first == last ? "" : "each ";
	char *reason;

	if (first == last)
		paper_print(paper, INK_PLAIN, "  generation %" PRIu32 ": ", first->number);
	else
		paper_print(paper, INK_PLAIN, "  generations %" PRIu32 "-%" PRIu32 ": ",
			first->number, last->number);
	if (first->state == SESSION_LOADED) {
		print_loaded(paper, leaks, first);
	} else if (first->state != SESSION_UNLOADED_BLIND) {
		print_residue_words(paper, leaks, group, each);
	} else {
		reason = stop_reason(leaks->session, first);
		paper_print(paper, INK_WARN,
			"%sunloaded, but its memory was not looked through: %s; nothing was freed",
			each, reason);
		free(reason);
	}
	print_history(paper, leaks, group);
	paper_print(paper, INK_PLAIN, "\n");
}

/* Why it stays, as of the last dlclose. */
static void print_stays(const struct paper *paper, const struct leaks *leaks, uint32_t index)
{
	const struct index_list *list = &leaks->generations[index].stays;
	const struct session_stay *stay;
	struct text_stack stack;
	char *text;
	size_t i;

	for (i = 0; i < list->count; i++) {
		stay = session_stay(leaks->session, list->index[i]);
		if (!stay->current)
			continue;
		text = stay_text(leaks, stay);
		paper_print(paper, INK_WARN, "    %s", text);
		free(text);
		paper_print(paper, INK_PLAIN, "%s\n", stay->stack_count ? " from" : "");
		stack = (struct text_stack){
			.first = stay->stack, .count = stay->stack_count, .deep = true};
		if (stack.count)
			text_stack_print(paper, leaks, &stack);
	}
}

/*
 * Gathers the generations from list[i] on that are alike; returns the index
 * behind them.  apart: so are not those whose balances differ.
 */
static size_t group_gather(struct group *group, const struct leaks *leaks,
	const struct index_list *list, size_t i, bool apart)
{
	bool detailed = generation_has_details(leaks, list->index[i]);
	const struct session_generation *next;

	group->first = group->last = session_generation(leaks->session, list->index[i]);
	group->left_things = generation_left_things(leaks, list->index[i]);
	text_balance_start(&group->balance, leaks, list->index[i]);
	for (i++; i < list->count && !detailed; i++) {
		next = session_generation(leaks->session, list->index[i]);
		if (!generations_alike(leaks, group->first, next) ||
			generation_has_details(leaks, list->index[i]) ||
			(!text_balance_join(&group->balance, leaks, list->index[i]) && apart))
			break;
		group->left_things |= generation_left_things(leaks, list->index[i]);
		group->last = next;
	}
	group->balance_lines = text_balance_lines(&group->balance, leaks);
	return i;
}

/* The same is to be said of all of them: then it is said once, and no sum of it. */
static bool is_one_group(const struct leaks *leaks, const struct index_list *list)
{
	struct group group;

	return list->count && group_gather(&group, leaks, list, 0, true) == list->count;
}

static void print_total(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module)
{
	char text[NUMBER_SIZE];
	struct text_balance total;

	text_balance_of_module(&total, module);
	if (!text_balance_lines(&total, leaks))
		return;
	paper_print(paper, INK_PLAIN, "  in all %s:\n",
		count_text(text, module->generations.count, "generation"));
	text_balance_print(paper, leaks, &total);
}

void text_generations_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all)
{
	const struct index_list *list = &module->generations;
	bool balances = all || is_one_group(leaks, list);
	size_t i, next, lines = 0, balance_lines = 0;
	char text[NUMBER_SIZE];
	struct group group;

	for (i = 0; i < list->count; i = next, lines++) {
		if (lines == GENERATION_LINES) {
			paper_print(paper, INK_PLAIN, "  and %s more\n",
				count_text(text, list->count - i, "generation"));
			break;
		}
		next = group_gather(&group, leaks, list, i, balances);
		print_group(paper, leaks, &group);
		if (generation_has_details(leaks, list->index[i]))
			print_stays(paper, leaks, list->index[i]);
		balance_lines += group.balance_lines;
		if (balances && group.balance_lines && balance_lines <= BALANCE_LINES)
			text_balance_print(paper, leaks, &group.balance);
	}
	if (lines > 1 || !balances)
		print_total(paper, leaks, module);
}
