/* SPDX-License-Identifier: MIT */
#include "cli/diff.h"

#include "elf/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void key_frame(FILE *key, struct names *names, uint64_t frame)
{
	const struct names_code *code = names_code(names, frame);
	const struct symbol_frame *symbol;
	size_t i;

	for (i = 0; i < code->count; i++) {
		symbol = &code->symbols[i];
		fprintf(key, "\n%s ", names_object(names, SESSION_FRAME_OBJECT(frame)));
		if (!symbol->function)
			fprintf(key, "0x%" PRIx64, SESSION_FRAME_OFFSET(frame));
		else if (symbol->inlined || !symbol->has_offset)
			fprintf(key, "%s", symbol->function);
		else
			fprintf(key, "%s+0x%" PRIx64, symbol->function, symbol->function_offset);
	}
}

static char *place_key(const struct leaks *leaks, const struct session_place *place)
{
	const struct session *session = leaks->session;
	const char *soname =
		session_string(session, session_object(session, place->object)->soname);
	size_t size;
	char *key = NULL;
	FILE *out = open_memstream(&key, &size);
	uint32_t i;

	if (!out)
		return text_copy("");
	fputs(*soname ? soname : names_object(leaks->names, place->object), out);
	for (i = 0; i < place->frame_count; i++)
		key_frame(out, leaks->names, session_frame(session, place->frame + i));
	fclose(out);
	return key;
}

static void totals_add(struct place_totals *sum, const struct place_totals *more)
{
	tally_add(&sum->allocated, more->allocated);
	tally_add(&sum->freed, more->freed);
	tally_add(&sum->live, more->live);
	tally_add(&sum->leaked, more->leaked);
	tally_add(&sum->reclaimed, more->reclaimed);
	tally_add(&sum->kept, more->kept);
	tally_add(&sum->runtime, more->runtime);
	tally_add(&sum->dropped, more->dropped);
}

static void diff_add(struct diff *diff, const struct leaks *leaks, bool is_after)
{
	const struct leaks_module *module;
	struct diff_place *place;
	size_t i, k;

	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		for (k = 0; k < module->place_count; k++) {
			place = array_append(&diff->places, &diff->count, sizeof(*place));
			place->key = place_key(leaks, module->places[k].record);
			diff_things_add(diff, leaks, &module->places[k], place->key);
			place->leaks = leaks;
			place->place = module->places[k].index;
			if (is_after)
				place->after = module->places[k].totals;
			else
				place->before = module->places[k].totals;
		}
	}
}

static int key_compare(const void *a, const void *b)
{
	const struct diff_place *x = a, *y = b;

	return strcmp(x->key, y->key);
}

/* One entry per key: the same place of several builds and of both sessions. */
static void places_merge(struct diff *diff)
{
	struct diff_place *last, *next;
	size_t i, count = 0;

	if (diff->count)
		qsort(diff->places, diff->count, sizeof(*diff->places), key_compare);
	for (i = 0; i < diff->count; i++) {
		next = &diff->places[i];
		last = count ? &diff->places[count - 1] : NULL;
		if (!last || strcmp(last->key, next->key) != 0) {
			diff->places[count++] = *next;
			continue;
		}
		totals_add(&last->before, &next->before);
		totals_add(&last->after, &next->after);
		if (next->leaks == diff->after) {
			last->leaks = next->leaks;
			last->place = next->place;
		}
		free(next->key);
	}
	diff->count = count;
}

struct diff_growth diff_growth_of(struct tally before, struct tally after)
{
	return (struct diff_growth){
		(int64_t)(after.blocks - before.blocks), (int64_t)(after.bytes - before.bytes)};
}

static void growth_add(struct diff_growth *sum, struct diff_growth more)
{
	sum->blocks = (int64_t)((uint64_t)sum->blocks + (uint64_t)more.blocks);
	sum->bytes = (int64_t)((uint64_t)sum->bytes + (uint64_t)more.bytes);
}

static int growth_compare(const void *a, const void *b)
{
	const struct diff_place *x = a, *y = b;
	int64_t p = x->leaked.bytes, q = y->leaked.bytes;

	if (p == q) {
		p = x->kept.bytes;
		q = y->kept.bytes;
	}
	if (p == q) {
		p = x->live.bytes;
		q = y->live.bytes;
	}
	return p != q ? (p < q ? 1 : -1) : strcmp(x->key, y->key);
}

struct diff *diff_open(const struct leaks *before, const struct leaks *after)
{
	struct diff *diff = memory_zeroed(1, sizeof(*diff));
	struct diff_place *place;
	size_t i;

	diff->before = before;
	diff->after = after;
	diff_add(diff, before, false);
	diff_add(diff, after, true);
	places_merge(diff);
	diff_things_end(diff);
	for (i = 0; i < diff->count; i++) {
		place = &diff->places[i];
		place->leaked = diff_growth_of(place->before.leaked, place->after.leaked);
		place->kept = diff_growth_of(place->before.kept, place->after.kept);
		place->live = diff_growth_of(place->before.live, place->after.live);
		growth_add(&diff->leaked, place->leaked);
		growth_add(&diff->kept, place->kept);
		growth_add(&diff->live, place->live);
	}
	if (diff->count)
		qsort(diff->places, diff->count, sizeof(*diff->places), growth_compare);
	return diff;
}

void diff_close(struct diff *diff)
{
	size_t i;

	if (!diff)
		return;
	for (i = 0; i < diff->count; i++)
		free(diff->places[i].key);
	free(diff->places);
	diff_things_close(diff);
	free(diff);
}

bool diff_place_is_changed(const struct diff_place *place)
{
	return place->leaked.blocks || place->leaked.bytes || place->kept.blocks ||
	       place->kept.bytes || place->live.blocks || place->live.bytes;
}

bool diff_has_growth(const struct diff *diff)
{
	size_t i;

	for (i = 0; i < diff->count; i++)
		if (diff->places[i].leaked.blocks > 0 || diff->places[i].kept.blocks > 0)
			return true;
	for (i = 0; i < diff->thing_count; i++)
		if (diff->things[i].left.blocks > 0 &&
			!resource_kind(diff->things[i].kind)->is_state)
			return true;
	return false;
}

bool diff_is_empty(const struct diff *diff)
{
	size_t i;

	for (i = 0; i < diff->count; i++)
		if (diff_place_is_changed(&diff->places[i]))
			return false;
	for (i = 0; i < diff->thing_count; i++)
		if (diff_thing_is_changed(&diff->things[i]))
			return false;
	return !diff->reload_count;
}
