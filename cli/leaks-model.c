/* SPDX-License-Identifier: MIT */
#include "cli/leaks.h"

#include "elf/memory.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

void index_add(struct index_list *list, uint32_t index)
{
	*(uint32_t *)array_append(&list->index, &list->count, sizeof(*list->index)) = index;
}

bool leaks_place_is_of_note(const struct leaks_place *place)
{
	const struct place_totals *totals = &place->totals;

	return totals->leaked.blocks || totals->kept.blocks || totals->runtime.blocks ||
	       totals->dropped.blocks || place->record->late_frees ||
	       place->record->threads_started;
}

static bool object_matches(const struct session *session, uint32_t object, const char *glob)
{
	const char *path = session_object_path(session, object);

	return !glob || fnmatch(glob, path, 0) == 0 || fnmatch(glob, base_name(path), 0) == 0;
}

static int place_compare(const void *a, const void *b)
{
	const struct leaks_place *x = a, *y = b;
	const struct place_totals *s = &x->totals, *t = &y->totals;

	if (s->leaked.bytes != t->leaked.bytes)
		return s->leaked.bytes < t->leaked.bytes ? 1 : -1;
	if (s->leaked.blocks != t->leaked.blocks)
		return s->leaked.blocks < t->leaked.blocks ? 1 : -1;
	if (s->dropped.bytes != t->dropped.bytes)
		return s->dropped.bytes < t->dropped.bytes ? 1 : -1;
	if (s->kept.bytes != t->kept.bytes)
		return s->kept.bytes < t->kept.bytes ? 1 : -1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void module_add_place(struct leaks *leaks, struct leaks_module *module, uint32_t index)
{
	struct leaks_place *place;

	place = array_append(&module->places, &module->place_count, sizeof(*place));
	place->index = index;
	place->record = session_place(leaks->session, index);
	session_place_totals(leaks->session, index, &place->totals);
}

/* Live blocks that are nobody's residue: they belong to generations still loaded. */
static void module_sum(struct leaks *leaks, struct leaks_module *module)
{
	const struct place_totals *totals;
	struct tally held;
	size_t i;

	for (i = 0; i < module->place_count; i++) {
		totals = &module->places[i].totals;
		tally_add(&module->leaked, totals->leaked);
		tally_add(&module->reclaimed, totals->reclaimed);
		tally_add(&module->kept, totals->kept);
		tally_add(&module->runtime, totals->runtime);
		tally_add(&module->dropped, totals->dropped);
		module->threads_started += module->places[i].record->threads_started;
		module->threads_ended += module->places[i].record->threads_ended;
		held = tally_less(totals->live, tally_less(totals->leaked, totals->reclaimed));
		held = tally_less(tally_less(held, totals->kept), totals->runtime);
		if (module->loaded)
			tally_add(&module->live, held);
	}
	tally_add(&leaks->leaked, module->leaked);
	tally_add(&leaks->reclaimed, module->reclaimed);
	tally_add(&leaks->kept, module->kept);
	tally_add(&leaks->runtime, module->runtime);
	tally_add(&leaks->dropped, module->dropped);
}

/* Gives every module its generations, places and residues. */
static void modules_fill(struct leaks *leaks, struct leaks_module **by_object)
{
	const struct session *session = leaks->session;
	struct leaks_place **by_place;
	struct leaks_module *module;
	const struct session_generation *generation;
	const struct session_residue *residue;
	uint64_t i;
	size_t k;

	for (i = 1; i < session->count[SESSION_GENERATIONS]; i++) {
		generation = session_generation(session, i);
		module = by_object[generation->object];
		if (!module)
			continue;
		index_add(&module->generations, i);
		if (generation->state == SESSION_LOADED)
			module->loaded++;
		else
			leaks->unloaded++;
		if (generation->parent && !module->brought_by)
			module->brought_by =
				session_generation(session, generation->parent)->object;
	}
	for (i = 1; i < session->count[SESSION_PLACES]; i++)
		if (by_object[session_place(session, i)->object])
			module_add_place(leaks, by_object[session_place(session, i)->object], i);
	by_place = memory_zeroed(session->count[SESSION_PLACES], sizeof(*by_place));
	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		if (module->place_count)
			qsort(module->places, module->place_count, sizeof(*module->places),
				place_compare);
		for (k = 0; k < module->place_count; k++)
			by_place[module->places[k].index] = &module->places[k];
	}
	for (i = 1; i < session->count[SESSION_RESIDUES]; i++) {
		residue = session_residue(session, i);
		if (residue->generation && residue->place && by_place[residue->place])
			index_add(&by_place[residue->place]->residues, i);
	}
	free(by_place);
}

/* Whether the object was ever loaded as a module: has generations or memory. */
static void objects_used(const struct session *session, bool *used)
{
	uint64_t i;

	for (i = 1; i < session->count[SESSION_GENERATIONS]; i++)
		used[session_generation(session, i)->object] = true;
	for (i = 1; i < session->count[SESSION_PLACES]; i++)
		used[session_place(session, i)->object] = true;
	used[0] = false;
}

/*
 * What a module brought of the C and C++ runtime is no module of anybody's, and
 * is told of only when it was closed and stays.
 */
static void runtime_hide(const struct session *session, bool *used)
{
	bool *stays = memory_zeroed(session->count[SESSION_OBJECTS], sizeof(*stays));
	uint64_t i;

	for (i = 1; i < session->count[SESSION_STAYS]; i++)
		stays[session_generation(session, session_stay(session, i)->generation)->object] =
			true;
	for (i = 1; i < session->count[SESSION_OBJECTS]; i++)
		if (session_object(session, i)->kind != SESSION_OBJECT_MODULE &&
			(session_object(session, i)->kind != SESSION_OBJECT_RUNTIME || !stays[i]))
			used[i] = false;
	free(stays);
}

static size_t files_count(const struct leaks *leaks)
{
	const struct session *session = leaks->session;
	const char *a, *b;
	size_t i, k, count = 0;

	for (i = 0; i < leaks->module_count; i++) {
		a = session_object_path(session, leaks->modules[i].object);
		for (k = 0; k < i; k++) {
			b = session_object_path(session, leaks->modules[k].object);
			if (strcmp(a, b) == 0)
				break;
		}
		count += k == i;
	}
	return count;
}

static int module_compare(const void *a, const void *b)
{
	const struct leaks_module *x = a, *y = b;

	if (x->chief != y->chief)
		return x->chief < y->chief ? -1 : 1;
	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->object < y->object ? -1 : x->object > y->object;
}

/* A damaged file may say that two modules brought each other. */
#define DEPTH_MAX 64

static void modules_sort(struct leaks *leaks, struct leaks_module **by_object)
{
	struct leaks_module *module;
	size_t i;

	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		module->chief = module->object;
		while (by_object[module->chief] && by_object[module->chief]->brought_by &&
			module->depth < DEPTH_MAX) {
			module->chief = by_object[module->chief]->brought_by;
			module->depth++;
		}
	}
	if (leaks->module_count)
		qsort(leaks->modules, leaks->module_count, sizeof(*leaks->modules), module_compare);
}

struct leaks *leaks_open(const struct session *session, const char *module_glob)
{
	struct leaks *leaks = memory_zeroed(1, sizeof(*leaks));
	struct leaks_module *module, **by_object;
	uint64_t count = session->count[SESSION_OBJECTS], i;
	bool *used = memory_zeroed(count, sizeof(*used));

	leaks->session = session;
	leaks->names = names_open(session);
	objects_used(session, used);
	runtime_hide(session, used);
	for (i = 1; i < count; i++) {
		if (!used[i] || !object_matches(session, i, module_glob))
			continue;
		module = array_append(&leaks->modules, &leaks->module_count, sizeof(*module));
		module->object = i;
	}
	by_object = memory_zeroed(count, sizeof(*by_object));
	for (i = 0; i < leaks->module_count; i++)
		by_object[leaks->modules[i].object] = &leaks->modules[i];
	modules_fill(leaks, by_object);
	for (i = 0; i < leaks->module_count; i++)
		module_sum(leaks, &leaks->modules[i]);
	leaks->file_count = files_count(leaks);
	modules_sort(leaks, by_object);
	leaks_unloading_open(leaks);
	free(by_object);
	free(used);
	return leaks;
}

void leaks_close(struct leaks *leaks)
{
	struct leaks_module *module;
	size_t i, k;

	if (!leaks)
		return;
	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		for (k = 0; k < module->place_count; k++)
			free(module->places[k].residues.index);
		free(module->places);
		free(module->generations.index);
	}
	leaks_unloading_close(leaks);
	free(leaks->modules);
	names_close(leaks->names);
	free(leaks);
}
