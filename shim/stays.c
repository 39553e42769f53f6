/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <string.h>

#include "shim/generation.h"
#include "shim/link-maps.h"
#include "shim/object-image.h"
#include "shim/opens.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/stays.h"
#include "shim/threads.h"

#define STAYS_MOST 16384u /* of a session */
#define HOLDERS_MOST 64	  /* told of */
#define AGAIN_MOST 64u	  /* whose reasons are brought up to date at one time */

struct holder_search {
	const struct object *of;
	const char *symbol;  /* that is looked for; NULL: any */
	const char *found;   /* symbol by which it is bound */
	uint32_t generation; /* record */
	bool some;
};

static uint32_t generation_record(const struct object *object)
{
	return object->generation ? generation_at(object->generation)->record : 0;
}

static struct session_stay *stay_find(const struct session_stay *like, const char *text)
{
	uint64_t count = session->table[SESSION_STAYS].record_count;

	for (uint32_t i = 1; i < count; i++) {
		struct session_stay *stay = session_record(SESSION_STAYS, i);

		if (stay->generation == like->generation && stay->kind == like->kind &&
			stay->object == like->object && stay->thread == like->thread &&
			stay->stack == like->stack &&
			!strcmp(stay->text ? session_record(SESSION_STRINGS, stay->text) : "",
				text))
			return stay;
	}
	return NULL;
}

static void stay_add(struct session_stay like, const char *text)
{
	struct session_stay *found;

	if (!session || !like.generation)
		return;
	found = stay_find(&like, text ? text : "");
	if (found) {
		found->count = like.count;
		__atomic_store_n(&found->current, 1, __ATOMIC_RELEASE);
		return;
	}
	if (session->table[SESSION_STAYS].record_count >= STAYS_MOST)
		return;
	like.text = text && *text ? session_string(text, strlen(text)) : 0;
	like.current = 1;
	session_add(SESSION_STAYS, &like);
}

static void stays_void(uint32_t generation)
{
	uint64_t count = session ? session->table[SESSION_STAYS].record_count : 0;

	for (uint32_t i = 1; i < count; i++) {
		struct session_stay *stay = session_record(SESSION_STAYS, i);

		if (stay->generation == generation)
			stay->current = 0;
	}
}

static void closing_set(uint32_t generation, enum session_closing closing)
{
	struct session_generation *record = session_record(SESSION_GENERATIONS, generation);

	record->closing = closing;
}

void stays_clear(uint16_t slot)
{
	uint32_t generation = generation_at(slot)->record;
	uint64_t count = session ? session->table[SESSION_THREADS].record_count : 0;

	if (!generation || !session)
		return;
	stays_void(generation);
	closing_set(generation, SESSION_OPEN);
	for (uint32_t i = 1; i < count; i++) {
		struct session_thread *thread = session_record(SESSION_THREADS, i);

		if (thread->blocks != generation)
			continue;
		thread->blocks = 0;
		/* a host's thread is of interest only while it is waited for */
		if (!thread->generation)
			thread->state = SESSION_THREAD_FREE;
	}
}

static bool file_says_nodelete(const struct object *object)
{
	return image_dynamic_value(object, DT_FLAGS_1) & DF_1_NODELETE;
}

static bool is_inside(const struct object *object, uintptr_t address)
{
	return address - object->start < object->end - object->start;
}

/* A relocation of another object (or its own) that came out in this one. */
static bool bound_visit(const ElfW(Sym) * symbol, const char *name, uintptr_t slot, void *data)
{
	struct holder_search *search = data;

	if (search->symbol ? !strcmp(name, search->symbol)
			   : (slot & 7) == 0 && is_inside(search->of, *(const uintptr_t *)slot))
		search->found = name;
	return !search->found;
}

static bool unique_visit(const ElfW(Sym) * symbol, const char *name, void *data)
{
	struct holder_search *search = data;

	if (ELF64_ST_BIND(symbol->st_info) == STB_GNU_UNIQUE && symbol->st_shndx != SHN_UNDEF)
		search->symbol = name;
	return !search->symbol;
}

static void unique_user_visit(struct object *object, void *data)
{
	struct holder_search *search = data;

	if (search->some)
		return;
	search->found = NULL;
	image_relocations(object, bound_visit, search);
	if (!search->found)
		return;
	search->some = true;
	stay_add((struct session_stay){.generation = search->generation,
			 .kind = SESSION_STAY_UNIQUE,
			 .object = object_record(object)},
		search->symbol);
}

static bool unique_note(const struct object *object)
{
	struct holder_search search = {.of = object, .generation = generation_record(object)};

	image_symbols(object, unique_visit, &search);
	if (!search.symbol)
		return false;
	/* whoever is not the object itself says more, but it is enough that it uses it itself */
	objects_each(unique_user_visit, &search);
	if (!search.some)
		stay_add((struct session_stay){.generation = search.generation,
				 .kind = SESSION_STAY_UNIQUE},
			search.symbol);
	return true;
}

static void permanent_holder_visit(struct object *holder, void *data)
{
	struct holder_search *search = data;

	if (holder == search->of || !link_map_is_permanent(holder))
		return;
	search->found = NULL;
	image_relocations(holder, bound_visit, search);
	if (!search->found)
		return;
	search->some = true;
	stay_add((struct session_stay){.generation = search->generation,
			 .kind = SESSION_STAY_BOUND,
			 .object = object_record(holder)},
		search->found);
}

/* The loader will never let it go. */
static void permanent_note(const struct object *object)
{
	struct holder_search search = {.of = object, .generation = generation_record(object)};
	struct session_stay stay = {.generation = search.generation};

	if (file_says_nodelete(object)) {
		stay.kind = SESSION_STAY_NODELETE_FILE;
		stay_add(stay, NULL);
	} else if (object->opened_for_ever) {
		stay.kind = SESSION_STAY_NODELETE_OPEN;
		stay_add(stay, NULL);
	} else if (!unique_note(object)) {
		objects_each(permanent_holder_visit, &search);
		stay.kind = SESSION_STAY_UNKNOWN;
		if (!search.some)
			stay_add(stay, NULL);
	}
}

/* Others that are loaded hold it. */
static void held_note(const struct object *object)
{
	struct object *holders[HOLDERS_MOST];
	unsigned int count = link_maps_holders(object, holders, HOLDERS_MOST);
	const char *soname = image_soname(object);
	unsigned int some = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct object *holder = holders[i];
		struct holder_search search = {.of = object};
		struct session_stay stay = {
			.generation = generation_record(object), .object = object_record(holder)};

		if (image_needs(holder, path_base(object->name)) ||
			(soname && image_needs(holder, soname))) {
			stay.kind = SESSION_STAY_NEEDED;
		} else {
			image_relocations(holder, bound_visit, &search);
			if (!search.found && some)
				continue; /* only by way of another that it needs */
			stay.kind = search.found ? SESSION_STAY_BOUND : SESSION_STAY_NEEDED;
		}
		stay_add(stay, search.found);
		some++;
	}
	if (!some)
		stay_add((struct session_stay){.generation = generation_record(object),
				 .kind = SESSION_STAY_UNKNOWN},
			NULL);
}

static void opens_note(const struct object *object, uint32_t opens)
{
	struct session_stay stay = {
		.generation = generation_record(object), .kind = SESSION_STAY_OPEN, .count = opens};

	stay_add(stay, NULL);
	for (const struct open_site *site = object->sites; site; site = site->next) {
		struct session_stay from = {.generation = stay.generation,
			.kind = SESSION_STAY_OPENED_FROM,
			.count = site->times,
			.stack = site->stack,
			.stack_count = site->frame_count};

		if (site->stack)
			stay_add(from, NULL);
	}
}

/* With the loader's list held. */
static void reasons_note(const struct object *object)
{
	uint32_t opens = link_map_opens(object);

	stays_void(generation_record(object));
	/* of what never goes the loader does not count down */
	if (link_map_is_permanent(object))
		permanent_note(object);
	else if (opens > object->owed)
		opens_note(object, opens - object->owed);
	else
		held_note(object);
}

static void stays_run(void *data)
{
	struct object *object = data;
	uint32_t generation = generation_record(object);

	/* another thread may have unloaded it meanwhile */
	if (!generation || !object->map)
		return;
	reasons_note(object);
	closing_set(generation, SESSION_STAYED);
}

void stays_note(struct object *object)
{
	if (session && link_maps_known())
		link_maps_hold(stays_run, object);
}

static uint32_t closing_of(const struct object *object)
{
	const struct session_generation *record =
		session_record(SESSION_GENERATIONS, generation_record(object));

	return record->closing;
}

/* Nobody closed it, as nobody opened it: it came with a module that is gone. */
static bool is_left_behind(const struct object *object)
{
	const struct session_generation *record =
		session_record(SESSION_GENERATIONS, generation_record(object));
	const struct session_generation *parent =
		session_record(SESSION_GENERATIONS, record->parent);

	return record->closing == SESSION_OPEN && record->opens <= record->closes &&
	       record->parent && parent->state != SESSION_LOADED;
}

static void left_behind_run(void *data)
{
	struct object *object = data;

	if (!generation_record(object) || !object->map)
		return;
	object->left_behind = is_left_behind(object);
	object->left_for_ever = object->left_behind && link_map_is_permanent(object);
	if (object->left_behind)
		reasons_note(object);
	else if (closing_of(object) == SESSION_OPEN)
		stays_void(generation_record(object));
}

struct again {
	uint32_t from; /* this slot of the object table */
	unsigned int count;
	struct object *list[AGAIN_MOST];
};

static void stayed_visit(struct object *object, void *data)
{
	struct again *again = data;
	const struct session_generation *record;

	if (!generation_record(object) || again->count == AGAIN_MOST)
		return;
	record = session_record(SESSION_GENERATIONS, generation_record(object));
	if (record->closing == SESSION_STAYED)
		again->list[again->count++] = object;
}

/* What stays for ever is not asked again, unless somebody has it open by now. */
static void left_behind_visit(struct object *object, void *data)
{
	struct again *again = data;
	bool left;

	if (!generation_record(object) || object->slot < again->from || again->count == AGAIN_MOST)
		return;
	left = is_left_behind(object);
	if (left ? object->left_for_ever : !object->left_behind)
		return;
	again->list[again->count++] = object;
	again->from = object->slot + 1;
}

static void left_behind_refresh(void)
{
	struct again again = {.count = AGAIN_MOST};

	while (again.count == AGAIN_MOST) {
		again.count = 0;
		objects_each(left_behind_visit, &again);
		for (unsigned int i = 0; i < again.count; i++)
			link_maps_hold(left_behind_run, again.list[i]);
	}
}

void stays_refresh(void)
{
	struct again again = {.count = 0};

	if (!session || !link_maps_known())
		return;
	objects_each(stayed_visit, &again);
	for (unsigned int i = 0; i < again.count; i++)
		stays_note(again.list[i]);
	left_behind_refresh();
}

/* Where a thread stands, in its record.  The frames' room is used again. */
static void thread_stand(struct session_thread *thread, const struct blocker *blocker)
{
	uint64_t frames[BLOCKER_FRAMES];
	uint32_t count = blocker->frame_count;

	for (uint32_t i = 0; i < count; i++)
		frames[i] = place_frame(blocker->frames[i]);
	if (thread->stack && thread->stack_count >= count)
		for (uint32_t i = 0; i < count; i++)
			*(uint64_t *)session_record(SESSION_FRAMES, thread->stack + i) = frames[i];
	else
		thread->stack = count ? session_add_frames(frames, count) : 0;
	thread->stack_count = (uint16_t)(thread->stack ? count : 0);
	thread->stack_flags = blocker->cut ? SESSION_PLACE_CUT : 0;
	thread->module_frame = blocker->module_frame;
}

void stays_note_threads(struct object *object, const struct blockers *blockers, bool refused)
{
	uint32_t generation = generation_record(object);
	size_t told = blockers->count < BLOCKERS_MOST ? blockers->count : BLOCKERS_MOST;

	if (!generation || !session)
		return;
	stays_void(generation);
	for (size_t i = 0; i < told; i++) {
		const struct blocker *blocker = &blockers->list[i];
		struct session_thread *thread;

		if (!blocker->record)
			continue;
		thread = session_record(SESSION_THREADS, blocker->record);
		thread->blocks = generation;
		thread_stand(thread, blocker);
		stay_add((struct session_stay){.generation = generation,
				 .kind = SESSION_STAY_THREAD,
				 .thread = blocker->record},
			NULL);
	}
	closing_set(generation, refused ? SESSION_REFUSED : SESSION_DEFERRED);
}

void stays_note_timeout(struct object *object)
{
	uint32_t generation = generation_record(object);

	if (!generation || !session)
		return;
	stays_void(generation);
	stay_add((struct session_stay){.generation = generation, .kind = SESSION_STAY_TIMEOUT},
		NULL);
	closing_set(generation, SESSION_ABANDONED);
}
