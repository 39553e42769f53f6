/* SPDX-License-Identifier: MIT */
#include "cli/leaks.h"

#include "cli/balance.h"
#include "elf/memory.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

void index_add(struct index_list *list, uint32_t index)
{
	*(uint32_t *)array_append(&list->index, &list->count, sizeof(*list->index)) = index;
}

static bool place_acquired(const struct leaks *leaks, const struct leaks_place *place)
{
	uint32_t kind;
	size_t i;

	for (i = 0; i < place->balances.count; i++) {
		kind = resource_kind_of(session_balance(leaks->session, place->balances.index[i]));
		if (KINDS_HAS(leaks->kinds, kind))
			return true;
	}
	return false;
}

bool leaks_place_is_of_note(const struct leaks *leaks, const struct leaks_place *place)
{
	const struct place_totals *totals = &place->totals;

	if (KINDS_HAS(leaks->kinds, KIND_MEMORY) &&
		(totals->leaked.blocks || totals->kept.blocks || totals->runtime.blocks ||
			totals->dropped.blocks || place->record->late_frees))
		return true;
	if (KINDS_HAS(leaks->kinds, KIND_THREAD) && place->record->threads_started)
		return true;
	return place_acquired(leaks, place);
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
	if (x->things != y->things)
		return x->things < y->things ? 1 : -1;
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

static void modules_add_generations(struct leaks *leaks, struct leaks_module **by_object)
{
	const struct session *session = leaks->session;
	const struct session_generation *generation;
	struct leaks_module *module;
	uint64_t i;

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
}

/* Gives every place its records in other tables. */
static void places_fill(const struct leaks *leaks, struct leaks_place **by_place)
{
	const struct session *session = leaks->session;
	const struct session_residue *residue;
	const struct session_balance *balance;
	struct balance_sum sum;
	uint64_t i;

	for (i = 1; i < session->count[SESSION_RESIDUES]; i++) {
		residue = session_residue(session, i);
		if (residue->generation && residue->place && by_place[residue->place])
			index_add(&by_place[residue->place]->residues, i);
	}
	for (i = 1; i < session->count[SESSION_BALANCES]; i++) {
		balance = session_balance(session, i);
		if (!balance->generation || !balance->place || !by_place[balance->place])
			continue;
		index_add(&by_place[balance->place]->balances, i);
		sum = (struct balance_sum){0};
		balance_add(leaks, &sum, balance);
		by_place[balance->place]->things += balance_residue(&sum).blocks;
	}
	for (i = 1; i < session->count[SESSION_LEFTOVERS]; i++) {
		balance = session_balance(session, session_leftover(session, i)->balance);
		if (balance->generation && balance->place && by_place[balance->place])
			index_add(&by_place[balance->place]->leftovers, i);
	}
}

/* Gives every module its generations and places. */
static void modules_fill(struct leaks *leaks, struct leaks_module **by_object)
{
	const struct session *session = leaks->session;
	struct leaks_place **by_place;
	struct leaks_module *module;
	uint64_t i;
	size_t k;

	modules_add_generations(leaks, by_object);
	for (i = 1; i < session->count[SESSION_PLACES]; i++)
		if (by_object[session_place(session, i)->object])
			module_add_place(leaks, by_object[session_place(session, i)->object], i);
	by_place = memory_zeroed(session->count[SESSION_PLACES], sizeof(*by_place));
	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		for (k = 0; k < module->place_count; k++)
			by_place[module->places[k].index] = &module->places[k];
	}
	places_fill(leaks, by_place);
	free(by_place);
	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		if (module->place_count)
			qsort(module->places, module->place_count, sizeof(*module->places),
				place_compare);
	}
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
	const struct session_generation *generation;
	uint64_t i;

	for (i = 1; i < session->count[SESSION_GENERATIONS]; i++) {
		generation = session_generation(session, i);
		if (generation_is_stuck(generation))
			stays[generation->object] = true;
	}
	for (i = 1; i < session->count[SESSION_OBJECTS]; i++)
		if (session_object(session, i)->kind != SESSION_OBJECT_MODULE &&
			(session_object(session, i)->kind != SESSION_OBJECT_RUNTIME || !stays[i]))
			used[i] = false;
	free(stays);
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

struct leaks *leaks_open(const struct session *session, const struct leaks_scope *scope)
{
	static const struct leaks_scope everything = {.kinds = KINDS_ALL};
	struct leaks *leaks = memory_zeroed(1, sizeof(*leaks));
	struct leaks_module *module, **by_object;
	uint64_t count = session->count[SESSION_OBJECTS], i;
	bool *used = memory_zeroed(count, sizeof(*used));

	if (!scope)
		scope = &everything;
	leaks->session = session;
	leaks->kinds = scope->kinds;
	leaks->names = names_open(session);
	objects_used(session, used);
	runtime_hide(session, used);
	for (i = 1; i < count; i++) {
		if (!used[i] || !object_matches(session, i, scope->module_glob))
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
	modules_sort(leaks, by_object);
	leaks_unloading_open(leaks);
	leaks_balances_open(leaks);
	leaks_growth_open(leaks);
	free(by_object);
	free(used);
	return leaks;
}

static void place_close(struct leaks_place *place)
{
	free(place->residues.index);
	free(place->balances.index);
	free(place->leftovers.index);
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
			place_close(&module->places[k]);
		free(module->places);
		free(module->generations.index);
	}
	leaks_growth_close(leaks);
	leaks_balances_close(leaks);
	leaks_unloading_close(leaks);
	free(leaks->modules);
	names_close(leaks->names);
	free(leaks);
}
