/* SPDX-License-Identifier: MIT */
#include "cli/diff.h"

#include "cli/json-balance.h"
#include "cli/text-balance.h"
#include "cli/text-stack.h"

#include <stdlib.h>

static const char *growth_text(char buffer[NUMBER_SIZE], struct diff_growth growth)
{
	char blocks[NUMBER_SIZE], bytes[NUMBER_SIZE];
	uint64_t n = growth.blocks < 0 ? -(uint64_t)growth.blocks : (uint64_t)growth.blocks;
	uint64_t size = growth.bytes < 0 ? -(uint64_t)growth.bytes : (uint64_t)growth.bytes;

	snprintf(buffer, NUMBER_SIZE, "%c%.40s, %c%.40s", growth.blocks < 0 ? '-' : '+',
		count_text(blocks, n, "block"), growth.bytes < 0 ? '-' : '+',
		count_text(bytes, size, "byte"));
	return buffer;
}

static bool is_growth(struct diff_growth growth)
{
	return growth.blocks || growth.bytes;
}

static void print_growth(const struct paper *paper, const char *what, struct diff_growth growth,
	struct tally before, struct tally after)
{
	char text[NUMBER_SIZE], from[NUMBER_SIZE], to[NUMBER_SIZE];

	if (!is_growth(growth))
		return;
	paper_print(paper, growth.bytes < 0 || growth.blocks < 0 ? INK_GOOD : INK_BAD, "  %s %s",
		what, growth_text(text, growth));
	paper_print(paper, INK_PLAIN, "  (from %s to %s)\n", tally_text(from, before),
		tally_text(to, after));
}

static void print_place(const struct paper *paper, const struct diff_place *place)
{
	const struct session_place *record = session_place(place->leaks->session, place->place);
	struct text_stack stack = stack_of_place(record);
	char text[NUMBER_SIZE];

	paper_print(paper, INK_TITLE, "%s\n", names_object(place->leaks->names, record->object));
	print_growth(paper, "leaked", place->leaked, place->before.leaked, place->after.leaked);
	print_growth(paper, "kept", place->kept, place->before.kept, place->after.kept);
	print_growth(paper, "live", place->live, place->before.live, place->after.live);
	if (!diff_place_is_changed(place))
		paper_print(paper, INK_PLAIN, "  as before: leaked %s\n",
			tally_text(text, place->after.leaked));
	text_stack_print(paper, place->leaks, &stack);
	paper_print(paper, INK_PLAIN, "\n");
}

static void print_thing(const struct paper *paper, const struct diff_thing *thing)
{
	const struct session_place *record = session_place(thing->leaks->session, thing->place);
	struct text_stack stack = stack_of_place(record);
	char from[THINGS_SIZE], to[NUMBER_SIZE];
	bool less = thing->left.blocks < 0;

	paper_print(paper, INK_TITLE, "%s\n", names_object(thing->leaks->names, record->object));
	if (diff_thing_is_changed(thing)) {
		paper_print(paper, less ? INK_GOOD : INK_BAD, "  left %c%s", less ? '-' : '+',
			things_text(from, thing->kind,
				tally_of(less ? -(uint64_t)thing->left.blocks
					      : (uint64_t)thing->left.blocks,
					0)));
		paper_print(paper, INK_PLAIN, "  (from %s",
			things_text(from, thing->kind, thing->before));
		paper_print(paper, INK_PLAIN, " to %s)\n", number_text(to, thing->after.blocks));
	} else {
		paper_print(paper, INK_PLAIN, "  as before: left %s\n",
			things_text(from, thing->kind, thing->after));
	}
	text_stack_print(paper, thing->leaks, &stack);
	paper_print(paper, INK_PLAIN, "\n");
}

static void print_reload(const struct paper *paper, const struct diff_reload *reload)
{
	const struct resource_kind *words = resource_kind(reload->kind);

	paper_print(paper, reload->after > reload->before ? INK_BAD : INK_GOOD,
		"%s: growth per reload from %.4g to %.4g %s\n", base_name(reload->path),
		reload->before, reload->after, reload->after == 1 ? words->noun : words->plural);
}

#define KINDS_NAMED 6 /* in the last line; the rest is counted */

/* "; left +2 descriptors, -1 timer" */
static void print_left(const struct paper *paper, const struct diff *diff)
{
	char text[THINGS_SIZE];
	size_t named = 0;
	uint32_t kind;
	int64_t count;

	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		count = diff->left[kind].blocks;
		if (!count || named++ >= KINDS_NAMED)
			continue;
		paper_print(paper, INK_TITLE, "%s%c%s", named > 1 ? ", " : "; left ",
			count < 0 ? '-' : '+',
			things_text(text, kind,
				tally_of(count < 0 ? -(uint64_t)count : (uint64_t)count, 0)));
	}
	if (named > KINDS_NAMED)
		paper_print(paper, INK_TITLE, ", and %s of other kinds",
			count_text(text, named - KINDS_NAMED, "change"));
}

void diff_write_text(const struct diff *diff, bool all, const struct paper *paper)
{
	char text[NUMBER_SIZE];
	size_t i;

	for (i = 0; i < diff->count; i++)
		if (all || diff_place_is_changed(&diff->places[i]))
			print_place(paper, &diff->places[i]);
	for (i = 0; i < diff->thing_count; i++)
		if (all || diff_thing_is_changed(&diff->things[i]))
			print_thing(paper, &diff->things[i]);
	for (i = 0; i < diff->reload_count; i++)
		print_reload(paper, &diff->reloads[i]);
	if (diff_is_empty(diff)) {
		paper_print(paper, INK_GOOD, "relib: no difference\n");
		return;
	}
	paper_print(paper, INK_TITLE, "relib: leaked %s", growth_text(text, diff->leaked));
	paper_print(paper, INK_TITLE, "; kept %s", growth_text(text, diff->kept));
	paper_print(paper, INK_TITLE, "; live %s", growth_text(text, diff->live));
	print_left(paper, diff);
	paper_print(paper, INK_PLAIN, "\n");
}

static struct json_object *json_change(struct diff_growth growth)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "blocks", json_object_new_int64(growth.blocks));
	json_add(object, "bytes", json_object_new_int64(growth.bytes));
	return object;
}

static struct json_object *json_side(const struct place_totals *totals)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "leaked", json_tally(totals->leaked));
	json_add(object, "kept", json_tally(totals->kept));
	json_add(object, "live", json_tally(totals->live));
	return object;
}

static struct json_object *json_growths(
	struct diff_growth leaked, struct diff_growth kept, struct diff_growth live)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "leaked", json_change(leaked));
	json_add(object, "kept", json_change(kept));
	json_add(object, "live", json_change(live));
	return object;
}

static struct json_object *json_place_stack(const struct leaks *leaks, uint32_t place)
{
	const struct session_place *record = session_place(leaks->session, place);

	return json_stack(leaks->names, leaks->session, record->frame, record->frame_count, false);
}

static struct json_object *json_module_path(const struct leaks *leaks, uint32_t place)
{
	const struct session *session = leaks->session;

	return json_text(session_object_path(session, session_place(session, place)->object));
}

static struct json_object *json_diff_place(const struct diff_place *place)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "module", json_module_path(place->leaks, place->place));
	json_add(object, "stack", json_place_stack(place->leaks, place->place));
	json_add(object, "before", json_side(&place->before));
	json_add(object, "after", json_side(&place->after));
	json_add(object, "growth", json_growths(place->leaked, place->kept, place->live));
	return object;
}

static struct json_object *json_counts(struct diff_growth growth)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "count", json_object_new_int64(growth.blocks));
	json_add(object, "bytes", json_object_new_int64(growth.bytes));
	return object;
}

static struct json_object *json_things(const struct diff *diff, bool all)
{
	struct json_object *array = json_object_new_array(), *object;
	const struct diff_thing *thing;
	size_t i;

	for (i = 0; i < diff->thing_count; i++) {
		thing = &diff->things[i];
		if (!all && !diff_thing_is_changed(thing))
			continue;
		object = json_object_new_object();
		json_add(object, "module", json_module_path(thing->leaks, thing->place));
		json_add(object, "kind", json_text(resource_kind(thing->kind)->name));
		json_add(object, "stack", json_place_stack(thing->leaks, thing->place));
		json_add(object, "before", json_amount(thing->before));
		json_add(object, "after", json_amount(thing->after));
		json_add(object, "growth", json_counts(thing->left));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *json_reloads(const struct diff *diff)
{
	struct json_object *array = json_object_new_array(), *object;
	size_t i;

	for (i = 0; i < diff->reload_count; i++) {
		object = json_object_new_object();
		json_add(object, "path", json_text(diff->reloads[i].path));
		json_add(object, "kind", json_text(resource_kind(diff->reloads[i].kind)->name));
		json_add(object, "before", json_object_new_double(diff->reloads[i].before));
		json_add(object, "after", json_object_new_double(diff->reloads[i].after));
		json_object_array_add(array, object);
	}
	return array;
}

void diff_write_json(const struct diff *diff, bool all, FILE *out)
{
	struct json_object *object = json_object_new_object(), *places = json_object_new_array();
	size_t i;

	for (i = 0; i < diff->count; i++)
		if (all || diff_place_is_changed(&diff->places[i]))
			json_object_array_add(places, json_diff_place(&diff->places[i]));
	json_add(object, "schema", json_text("relib-leaks-diff"));
	json_add(object, "version", json_object_new_int(1));
	json_add(object, "before", json_text(diff->before->session->path));
	json_add(object, "after", json_text(diff->after->session->path));
	json_add(object, "places", places);
	json_add(object, "left", json_things(diff, all));
	json_add(object, "reloads", json_reloads(diff));
	json_add(object, "totals", json_growths(diff->leaked, diff->kept, diff->live));
	json_write(object, out);
	json_object_put(object);
}
