/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <string.h>

#include "shim/heap.h"
#include "shim/link-maps.h"
#include "shim/next.h"
#include "shim/sorted.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define MAP_SIZE 1024u /* of the private part that is looked at; a link map is larger */
#define TRIES 3	       /* somebody else may open the C library at the same moment */

static struct {
	bool tried, known;
	size_t opens;	  /* offset of the count, 32 bits */
	size_t permanent; /* offset of the byte with the mark */
	unsigned char permanent_mask;
} found;

static struct {
	unsigned char before[MAP_SIZE], once[MAP_SIZE], after[MAP_SIZE], marked[MAP_SIZE];
} experiment;

static void *library_open(int flags)
{
	return next.dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD | flags);
}

static bool experiment_run(void)
{
	const void *map = library_open(0);

	if (!map)
		return false;
	memcpy(experiment.before, map, MAP_SIZE);
	library_open(0);
	memcpy(experiment.once, map, MAP_SIZE);
	next.dlclose((void *)map);
	memcpy(experiment.after, map, MAP_SIZE);
	/* it never goes anyway: the mark changes nothing */
	library_open(RTLD_NODELETE);
	memcpy(experiment.marked, map, MAP_SIZE);
	next.dlclose((void *)map);
	next.dlclose((void *)map);
	return true;
}

static uint32_t word_at(const unsigned char *bytes, size_t offset)
{
	uint32_t word;

	memcpy(&word, bytes + offset, sizeof(word));
	return word;
}

/* The one word that counted up and down again. */
static bool opens_find(void)
{
	unsigned int hits = 0;

	for (size_t at = 0; at < MAP_SIZE; at += sizeof(uint32_t)) {
		uint32_t before = word_at(experiment.before, at);

		if (word_at(experiment.once, at) != before + 1 ||
			word_at(experiment.after, at) != before ||
			word_at(experiment.marked, at) != before + 1)
			continue;
		found.opens = at;
		hits++;
	}
	return hits == 1;
}

/* The one bit that is set now. */
static bool permanent_find(void)
{
	unsigned int hits = 0;

	for (size_t at = 0; at < MAP_SIZE; at++) {
		unsigned char mask = experiment.marked[at] & (unsigned char)~experiment.after[at];

		if (!mask || at - found.opens < sizeof(uint32_t))
			continue;
		found.permanent = at;
		found.permanent_mask = mask;
		hits++;
	}
	return hits == 1 && !(found.permanent_mask & (found.permanent_mask - 1));
}

bool link_maps_known(void)
{
	struct thread *thread = &thread_self;

	if (found.tried)
		return found.known;
	thread->inside++;
	for (int i = 0; i < TRIES && !found.known; i++)
		found.known = experiment_run() && opens_find() && permanent_find();
	found.tried = true;
	thread->inside--;
	return found.known;
}

struct hold_call {
	void (*run)(void *data);
	void *data;
};

static int hold_step(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct hold_call *call = data;

	call->run(call->data);
	return 1;
}

void link_maps_hold(void (*run)(void *data), void *data)
{
	struct hold_call call = {run, data};

	dl_iterate_phdr(hold_step, &call);
}

uint32_t link_map_opens(const struct object *object)
{
	return object->map ? word_at((const unsigned char *)object->map, found.opens) : 1;
}

bool link_map_is_permanent(const struct object *object)
{
	/* what is mapped at start was not allocated by our malloc */
	return !object->map || !heap_owns(object->map) ||
	       (((const unsigned char *)object->map)[found.permanent] & found.permanent_mask);
}

/* All loaded objects, as of one moment. */
struct maps_view {
	struct maps_entry {
		const struct link_map *map;
		struct object *object;
		bool used;    /* stays, and so does what it holds */
		bool handled; /* and that is marked */
		bool listed;
	} * entry;
	size_t count, most;
};

static void view_count(struct object *object, void *data)
{
	size_t *count = data;

	++*count;
}

static void view_add(struct object *object, void *data)
{
	struct maps_view *view = data;
	size_t at;

	if (view->count == view->most || !object->map)
		return;
	/* sorted by address of the link map */
	for (at = view->count++; at && view->entry[at - 1].map > object->map; at--)
		view->entry[at] = view->entry[at - 1];
	view->entry[at] = (struct maps_entry){.map = object->map, .object = object};
}

static struct maps_entry *view_find(const struct maps_view *view, uintptr_t map)
{
	size_t from = SORTED_COUNT(view->count, i, (uintptr_t)view->entry[i].map < map);
	return from < view->count && (uintptr_t)view->entry[from].map == map ? &view->entry[from]
									     : NULL;
}

static bool view_make(struct maps_view *view)
{
	size_t count = 0;

	objects_each(view_count, &count);
	view->most = count + 16; /* others load meanwhile */
	view->count = 0;
	view->entry = sys_map(view->most * sizeof(*view->entry), PROT_READ | PROT_WRITE);
	if (view->entry)
		objects_each(view_add, view);
	return view->entry != NULL;
}

static void view_drop(struct maps_view *view)
{
	sys_unmap(view->entry, view->most * sizeof(*view->entry));
}

/* The live block of the loader's that begins at the address: its words, and how many. */
static const uintptr_t *loader_block(uintptr_t address, size_t *words)
{
	struct span *span = heap_owns((const void *)address) ? heap_span(address) : NULL;
	uint32_t index;
	uintptr_t start;

	if ((address & 7) || !span || span->kind == SPAN_FREE || address < span->start)
		return NULL;
	index = span_index(span, address);
	if (index >= span->count || (span->meta[index].place & META_PLACE) != HEAP_PLACE_LOADER)
		return NULL;
	start = span_block(span, index);
	*words = (span_asked(span, index) - (address - start)) / sizeof(uintptr_t);
	return (const uintptr_t *)address;
}

/*
 * Calls visit for the objects on one list of an object's, if the word points at
 * one: the object itself and those it needs, ended by NULL or by the block; or
 * a count and those whose symbols it has bound.
 */
static void list_each(const struct maps_view *view, const struct maps_entry *of, uintptr_t word,
	void (*visit)(struct maps_entry *held, void *data), void *data)
{
	size_t words, count, i = 1;
	const uintptr_t *list = loader_block(word, &words);

	if (!list || words < 2)
		return;
	if (list[0] == (uintptr_t)of->map) {
		count = words;
	} else {
		count = (uint32_t)list[0];
		/* the count is 32 bits, what stands beside it is anything */
		if (!count || count >= words)
			return;
		for (size_t at = 1; at <= count; at++)
			if (!view_find(view, list[at]))
				return;
		count++;
	}
	for (; i < count; i++) {
		struct maps_entry *held = list[i] ? view_find(view, list[i]) : NULL;

		if (!held)
			return;
		visit(held, data);
	}
}

static void held_each(const struct maps_view *view, const struct maps_entry *of,
	void (*visit)(struct maps_entry *held, void *data), void *data)
{
	size_t words;
	const uintptr_t *map = loader_block((uintptr_t)of->map, &words);

	for (size_t i = 0; map && i < words; i++)
		list_each(view, of, map[i], visit, data);
}

static void use_visit(struct maps_entry *held, void *data)
{
	bool *more = data;

	if (!held->used)
		held->used = *more = true;
}

/* As the loader marks: what is open or permanent, and all that these hold. */
static void view_mark(struct maps_view *view, const struct object *closing)
{
	bool more = true;

	for (size_t i = 0; i < view->count; i++) {
		const struct object *object = view->entry[i].object;

		view->entry[i].used = link_map_is_permanent(object) ||
				      (object != closing && link_map_opens(object));
	}
	while (more) {
		more = false;
		for (size_t i = 0; i < view->count; i++) {
			struct maps_entry *entry = &view->entry[i];

			if (!entry->used || entry->handled)
				continue;
			entry->handled = true;
			held_each(view, entry, use_visit, &more);
		}
	}
}

struct going {
	uint32_t *slots;
	size_t count, most;
};

static void going_visit(struct maps_entry *entry, void *data)
{
	struct going *going = data;

	if (entry->used || entry->listed || going->count == going->most)
		return;
	entry->listed = true;
	going->slots[going->count++] = entry->object->slot;
}

size_t link_maps_going(const struct object *object, uint32_t *goes, size_t most)
{
	struct going going = {.slots = goes, .most = most};
	struct maps_view view;
	struct maps_entry *root;

	if (link_map_is_permanent(object) || !view_make(&view))
		return 0;
	view_mark(&view, object);
	root = view_find(&view, (uintptr_t)object->map);
	if (root && !root->used) {
		/* the loader's own list of what it needs is sorted: dependents first */
		going_visit(root, &going);
		held_each(&view, root, going_visit, &going);
		for (size_t i = view.count; i--;)
			going_visit(&view.entry[i], &going);
	}
	view_drop(&view);
	return going.count;
}

struct hold {
	const struct object *of;
	bool found;
};

static void hold_visit(struct maps_entry *held, void *data)
{
	struct hold *hold = data;

	if (held->object == hold->of)
		hold->found = true;
}

unsigned int link_maps_holders(
	const struct object *object, struct object **holders, unsigned int most)
{
	unsigned int count = 0;
	struct maps_view view;

	if (!view_make(&view))
		return 0;
	for (size_t i = 0; i < view.count && count < most; i++) {
		struct hold hold = {.of = object};

		if (view.entry[i].object == object)
			continue;
		held_each(&view, &view.entry[i], hold_visit, &hold);
		if (hold.found)
			holders[count++] = view.entry[i].object;
	}
	view_drop(&view);
	return count;
}
