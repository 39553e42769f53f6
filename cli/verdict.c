/* SPDX-License-Identifier: MIT */
#include "cli/verdict.h"

#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct plugin_verdict *verdict_add(struct test_verdict *verdict, const char *path, long cycles)
{
	struct plugin_verdict *plugin = memory_zeroed(1, sizeof(*plugin));
	char *real;

	*(struct plugin_verdict **)array_append(
		&verdict->plugins, &verdict->count, sizeof(plugin)) = plugin;
	plugin->path = path;
	real = realpath(path, NULL);
	plugin->module = text_copy(base_name(real ? real : path));
	free(real);
	plugin->cycles = cycles;
	return plugin;
}

static void cause_free(struct cause *cause)
{
	free(cause->key);
	free(cause->module);
	free(cause->place);
	free(cause->function);
	free(cause->file);
	free(cause->detail);
	free(cause->counts);
	free(cause->text);
	free(cause);
}

void verdict_free(struct test_verdict *verdict)
{
	struct plugin_verdict *plugin;

	while (verdict->count) {
		plugin = verdict->plugins[--verdict->count];
		while (plugin->cause_count)
			cause_free(plugin->causes[--plugin->cause_count]);
		free(plugin->causes);
		free(plugin->module);
		free(plugin);
	}
	free(verdict->plugins);
	verdict->plugins = NULL;
}

bool plugin_is_good(const struct plugin_verdict *plugin)
{
	size_t i;

	for (i = 0; i < plugin->cause_count; i++)
		if (!plugin->causes[i]->allowed)
			return false;
	return true;
}

bool verdict_is_good(const struct test_verdict *verdict)
{
	size_t i;

	for (i = 0; i < verdict->count; i++)
		if (!plugin_is_good(verdict->plugins[i]))
			return false;
	return true;
}

/* A cause that was found stands, also where the check could not be made to the end. */
enum check_result plugin_check_result(const struct plugin_verdict *plugin, enum check_id check)
{
	const struct cause *cause;
	size_t i;

	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		if (cause->kind->check == check && !cause->allowed)
			return CHECK_FAILED;
	}
	return plugin->skipped[check] ? CHECK_SKIPPED : CHECK_PASSED;
}

void plugin_skip(struct plugin_verdict *plugin, enum check_id check, const char *reason)
{
	if (!plugin->skipped[check])
		plugin->skipped[check] = reason;
}

static bool texts_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct cause *plugin_cause(
	struct plugin_verdict *plugin, const char *kind, const char *module, const char *key)
{
	const struct cause_kind *found = cause_kind_find(kind);
	struct cause *cause;
	size_t i;

	if (!found)
		found = cause_kind_find("unknown");
	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		if (cause->kind == found && texts_equal(cause->module, module) &&
			strcmp(cause->key, key) == 0)
			return cause;
	}
	cause = memory_zeroed(1, sizeof(*cause));
	*(struct cause **)array_append(&plugin->causes, &plugin->cause_count, sizeof(cause)) =
		cause;
	cause->kind = found;
	cause->module = module ? text_copy(module) : NULL;
	cause->key = text_copy(key);
	return cause;
}

void cause_count_add(struct cause *cause, uint32_t generation, struct tally tally)
{
	struct cause_count *last =
		cause->count_count ? &cause->counts[cause->count_count - 1] : NULL;

	if (!last || last->generation != generation) {
		last = array_append(&cause->counts, &cause->count_count, sizeof(*last));
		last->generation = generation;
	}
	tally_add(&last->tally, tally);
}

void cause_detail(struct cause *cause, char *detail)
{
	if (cause->detail)
		free(detail);
	else
		cause->detail = detail;
}

/* --- the texts --------------------------------------------------------------- */

static int count_compare(const void *a, const void *b)
{
	const struct cause_count *x = a, *y = b;

	return x->generation < y->generation ? -1 : x->generation > y->generation;
}

/* Two places of one text contribute to the same generation. */
static void counts_merge(struct cause *cause)
{
	size_t i, kept = 0;

	if (!cause->count_count)
		return;
	qsort(cause->counts, cause->count_count, sizeof(*cause->counts), count_compare);
	for (i = 1; i < cause->count_count; i++) {
		if (cause->counts[i].generation == cause->counts[kept].generation)
			tally_add(&cause->counts[kept].tally, cause->counts[i].tally);
		else
			cause->counts[++kept] = cause->counts[i];
	}
	cause->count_count = kept + 1;
}

static bool counts_are_alike(const struct cause *cause)
{
	const struct tally *first = &cause->counts[0].tally, *each;
	size_t i;

	for (i = 1; i < cause->count_count; i++) {
		each = &cause->counts[i].tally;
		if (each->blocks != first->blocks || each->bytes != first->bytes)
			return false;
	}
	return true;
}

/* "3 blocks (120 bytes)" */
static char *amount_text(const struct cause_kind *kind, struct tally tally)
{
	char count[NUMBER_SIZE], bytes[NUMBER_SIZE];

	number_text(count, tally.blocks);
	if (!kind->has_bytes)
		return text_format("%s %s", count, tally.blocks == 1 ? kind->one : kind->many);
	return text_format("%s %s (%s)", count, tally.blocks == 1 ? kind->one : kind->many,
		count_text(bytes, tally.bytes, "byte"));
}

/* " per cycle", " once, in cycle 1", " in 7 of 10 cycles" */
static char *spread_text(const struct cause *cause, bool alike)
{
	size_t found = cause->count_count, cycles = cause->cycles;

	if (cycles <= 1 && found <= 1)
		return text_copy("");
	if (found == 1)
		return text_format(" once, in cycle %" PRIu32, cause->counts[0].generation);
	if (alike && found >= cycles)
		return text_copy(" per cycle");
	if (alike)
		return text_format(" in each of %zu of %zu cycles", found, cycles);
	if (found >= cycles)
		return text_format(" in %zu cycles", found);
	return text_format(" in %zu of %zu cycles", found, cycles);
}

static char *cause_amount_text(const struct cause *cause)
{
	const struct cause_kind *kind = cause->kind;
	bool alike = cause->count_count && counts_are_alike(cause);
	char *amount, *spread, *text;
	struct tally sum = {0};
	size_t i;

	if (!kind->one || !cause->count_count)
		return text_copy("");
	for (i = 0; i < cause->count_count && (i == 0 || !alike); i++)
		tally_add(&sum, cause->counts[i].tally);
	amount = amount_text(kind, sum);
	spread = spread_text(cause, alike);
	text = text_format(" %s%s%s%s", amount, kind->state ? " " : "",
		kind->state ? kind->state : "", spread);
	free(amount);
	free(spread);
	return text;
}

/* "leaked 3 blocks (120 bytes) per cycle: plugin_main (leaks.c:12), DETAIL" */
static char *cause_text(const struct cause *cause, const char *plugin)
{
	bool foreign = cause->module && strcmp(cause->module, plugin) != 0;
	char *amount = cause_amount_text(cause), *text;

	text = text_format("%s%s%s%s%s%s%s%s", foreign ? cause->module : "", foreign ? ": " : "",
		cause->kind->verb, amount, cause->place || cause->detail ? ": " : "",
		cause->place ? cause->place : "", cause->place && cause->detail ? ", " : "",
		cause->detail ? cause->detail : "");
	free(amount);
	return text;
}

static bool cause_is_allowed(const struct cause *cause, const struct text_list *allow)
{
	size_t i;

	for (i = 0; i < allow->count; i++)
		if (cause_kind_is_named(cause->kind, allow->text[i]))
			return true;
	return false;
}

/* By check, else as they were found. */
static void causes_sort(struct plugin_verdict *plugin)
{
	struct cause *cause;
	size_t i, k;

	for (i = 1; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		for (k = i; k && plugin->causes[k - 1]->kind->check > cause->kind->check; k--)
			plugin->causes[k] = plugin->causes[k - 1];
		plugin->causes[k] = cause;
	}
}

void plugin_finish(struct plugin_verdict *plugin, const struct text_list *allow)
{
	struct cause *cause;
	size_t i;

	causes_sort(plugin);
	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		counts_merge(cause);
		cause->allowed = cause->kind->is_state || cause_is_allowed(cause, allow);
		free(cause->text);
		cause->text = cause_text(cause, plugin->module);
	}
}
