/* SPDX-License-Identifier: MIT */
#include "shim/handles.h"

#include "shim/generation.h"
#include "shim/ledger.h"
#include "shim/link-maps.h"
#include "shim/session.h"
#include "shim/settle.h"

/* Of a holding's data. */
enum { DATA_MAP, DATA_RECORD };

static uint32_t generation_record(const struct object *object)
{
	return object && object->generation ? generation_at(object->generation)->record : 0;
}

void handle_opened(const struct object *object, struct origin origin)
{
	static _Atomic uint64_t numbers;
	uint32_t record = generation_record(object);
	struct holding like = {
		.kind = SESSION_HANDLE,
		.data = {(uintptr_t)object->map, record},
	};
	const struct session_object *of;

	if (!origin.place || !object->map)
		return;
	like.key = ++numbers;
	if (record) {
		of = session_record(SESSION_OBJECTS, generation_at(object->generation)->object);
		like.text = of->path;
	} else {
		like.text = ledger_text(object->name);
	}
	ledger_acquire(origin, &like);
}

static bool is_loaded(uint32_t record)
{
	const struct session_generation *generation = session_record(SESSION_GENERATIONS, record);

	return !record || generation->state == SESSION_LOADED;
}

/* The loader took the object away again: the dlopen had failed. */
static bool failed_drop(const struct holding *holding)
{
	if (is_loaded((uint32_t)holding->data[DATA_RECORD]))
		return false;
	__atomic_fetch_sub(&balance_at(holding->balance)->acquired, 1, __ATOMIC_RELAXED);
	ledger_forget(SESSION_HANDLE, holding->key);
	return true;
}

struct handle_search {
	const void *map;
	uint32_t record, closer;
	uint64_t own, any; /* keys; any: of one that is unloaded where there is one */
	bool any_unloaded;
	uint32_t count;
};

static void search_visit(const struct holding *holding, void *data)
{
	struct handle_search *search = data;
	bool unloaded;

	if (holding->data[DATA_MAP] != (uintptr_t)search->map ||
		holding->data[DATA_RECORD] != search->record)
		return;
	search->count++;
	unloaded = !is_loaded(holding->generation);
	if (search->closer && holding->generation == search->closer)
		search->own = holding->key;
	if (!search->any || (unloaded && !search->any_unloaded)) {
		search->any = holding->key;
		search->any_unloaded = unloaded;
	}
}

static void failed_visit(const struct holding *holding, void *data)
{
	failed_drop(holding);
}

struct closing handle_closing(const void *map, uintptr_t pc)
{
	struct handle_search search = {.map = map};
	struct closing closing = {.map = NULL};

	if (ledger_is_empty(SESSION_HANDLE) || !map)
		return closing;
	ledger_each(SESSION_HANDLE, 0, failed_visit, NULL);
	search.record = generation_record(objects_of_map(map));
	search.closer = generation_record(object_of(pc - 1));
	ledger_each(SESSION_HANDLE, 0, search_visit, &search);
	if (search.count)
		closing = (struct closing){map, search.record, search.own};
	return closing;
}

/* How often the object is open yet. */
static uint32_t opens_left(const struct closing *closing)
{
	const struct object *object = objects_of_map(closing->map);
	uint32_t opens;

	if (!object || generation_record(object) != closing->record)
		return 0;
	opens = link_maps_known() ? link_map_opens(object) : UINT32_MAX;
	return opens > object->owed ? opens - object->owed : 0;
}

/*
 * Who closes what others opened may have opened it too: the others' are given
 * back as far as the loader does not count them any more.
 */
void handle_closed(const struct closing *closing)
{
	struct handle_search search = {.map = closing->map, .record = closing->record};
	struct holding was;
	uint32_t left;

	if (!closing->map)
		return;
	if (closing->own) {
		ledger_give_back(SESSION_HANDLE, closing->own, &was);
		return;
	}
	left = opens_left(closing);
	ledger_each(SESSION_HANDLE, 0, search_visit, &search);
	while (search.count > left && ledger_give_back(SESSION_HANDLE, search.any, &was)) {
		search.count = 0;
		search.any = 0;
		ledger_each(SESSION_HANDLE, 0, search_visit, &search);
	}
}

static void visit_left(const struct holding *holding, void *data)
{
	if (!failed_drop(holding))
		ledger_left(holding, holding->data[DATA_MAP], NULL, NULL);
}

void handles_settle(uint32_t generation)
{
	ledger_each(SESSION_HANDLE, generation, visit_left, NULL);
}
