/* SPDX-License-Identifier: MIT */
#include "cli/diff.h"

#include "cli/json.h"
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

void diff_write_text(const struct diff *diff, bool all, const struct paper *paper)
{
	char text[NUMBER_SIZE];
	bool changed = false;
	size_t i;

	for (i = 0; i < diff->count; i++) {
		changed |= diff_place_is_changed(&diff->places[i]);
		if (all || diff_place_is_changed(&diff->places[i]))
			print_place(paper, &diff->places[i]);
	}
	if (!changed) {
		paper_print(paper, INK_GOOD, "relib: no difference\n");
		return;
	}
	paper_print(paper, INK_TITLE, "relib: leaked %s", growth_text(text, diff->leaked));
	paper_print(paper, INK_TITLE, "; kept %s", growth_text(text, diff->kept));
	paper_print(paper, INK_TITLE, "; live %s\n", growth_text(text, diff->live));
}

static struct json_object *json_growth(struct diff_growth growth)
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

	json_add(object, "leaked", json_growth(leaked));
	json_add(object, "kept", json_growth(kept));
	json_add(object, "live", json_growth(live));
	return object;
}

static struct json_object *json_diff_place(const struct diff_place *place)
{
	const struct session *session = place->leaks->session;
	const struct session_place *record = session_place(session, place->place);
	struct json_object *object = json_object_new_object(), *stack = json_object_new_array();
	uint32_t i;

	for (i = 0; i < record->frame_count; i++)
		json_frame(stack, place->leaks->names, session,
			session_frame(session, record->frame + i));
	json_add(object, "module", json_text(session_object_path(session, record->object)));
	json_add(object, "stack", stack);
	json_add(object, "before", json_side(&place->before));
	json_add(object, "after", json_side(&place->after));
	json_add(object, "growth", json_growths(place->leaked, place->kept, place->live));
	return object;
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
	json_add(object, "totals", json_growths(diff->leaked, diff->kept, diff->live));
	json_write(object, out);
	json_object_put(object);
}
