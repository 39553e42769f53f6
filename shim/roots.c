/* SPDX-License-Identifier: MIT */
#include "shim/roots.h"
#include "shim/look.h"
#include "shim/objects.h"

struct root_search {
	uintptr_t address;
	struct object *object;
};

static void root_visit(struct object *object, void *data)
{
	struct root_search *search = data;

	if (search->address - object->start < object->end - object->start)
		search->object = object;
}

static struct session_root root_of_memory(const struct scan_place *at)
{
	struct root_search search = {.address = at->address};
	struct session_root root = {.address = at->address};

	objects_each(root_visit, &search);
	if (search.object) {
		root.kind =
			search.object->class == CODE_RUNTIME || search.object->class == CODE_LOADER
				? SESSION_ROOT_RUNTIME
				: SESSION_ROOT_GLOBAL;
		root.object = object_record(search.object);
		root.offset = at->address - search.object->bias;
		return root;
	}
	root.kind = at->kind == SCAN_MAPPING_SHARED ? SESSION_ROOT_MAPPING : SESSION_ROOT_HEAP;
	return root;
}

struct session_root root_record(
	uint8_t referrer, uint32_t place, uint64_t offset, const struct scan_place *at)
{
	struct session_root root = {.address = at->address, .object = (uint32_t)at->tid};

	if (referrer == LOOK_NOBODY)
		return (struct session_root){.kind = SESSION_ROOT_NONE};
	if (referrer == LOOK_BLOCK) {
		root.kind = SESSION_ROOT_BLOCK;
		root.object = place;
		root.offset = offset;
		return root;
	}
	switch (at->kind) {
	case SCAN_STACK:
		root.kind = SESSION_ROOT_STACK;
		root.offset = at->address - at->sp;
		return root;
	case SCAN_THREAD:
		root.kind = SESSION_ROOT_THREAD;
		return root;
	case SCAN_REGISTER:
		root.kind = SESSION_ROOT_REGISTER;
		root.reg = (uint8_t)at->reg;
		return root;
	default:
		return root_of_memory(at);
	}
}
