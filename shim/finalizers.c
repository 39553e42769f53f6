/* SPDX-License-Identifier: MIT */
#include <elf.h>
#include <string.h>
#include <unistd.h>

#include "shim/finalizers.h"
#include "shim/generation.h"
#include "shim/next.h"
#include "shim/object-image.h"
#include "shim/sys.h"

#define PAGE ((uintptr_t)4096)

void __cxa_finalize(void *dso);

static struct {
	int count;
	char **values;
} arguments;

void finalizers_arguments(int argc, char **argv)
{
	arguments.count = argc;
	arguments.values = argv;
}

/* The _fini of the start files: adjusts the stack, and back. */
static bool is_empty(const unsigned char *code)
{
	static const unsigned char mark[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
	static const unsigned char body[] = {0x48, 0x83, 0xec, 0x08, 0x48, 0x83, 0xc4, 0x08, 0xc3};

	if (!memcmp(code, mark, sizeof(mark)))
		code += sizeof(mark);
	return !memcmp(code, body, sizeof(body));
}

/*
 * libgomp's threads never end, whatever its finalizers do, and its initializers
 * abort the process when they run twice.
 */
static bool are_in_vain(const struct object *object)
{
	return !strncmp(path_base(object->name), "libgomp.so", strlen("libgomp.so"));
}

bool finalizers_are_there(const struct object *object)
{
	uintptr_t last = image_dynamic_value(object, DT_FINI),
		  size = image_dynamic_value(object, DT_FINI_ARRAYSZ);

	if (object->finalized || are_in_vain(object) || (!last && !size))
		return false;
	/* with start files the first entry of the array is theirs */
	return size > sizeof(uintptr_t) || generation_at(object->generation)->exits ||
	       !finalizers_finish(object) ||
	       (last && !is_empty((const unsigned char *)object->bias + last));
}

bool finalizers_finish(const struct object *object)
{
	return image_refers_to(object, "__cxa_finalize");
}

static void nothing(void)
{
}

/* The section is read-only after relocation in most objects. */
static bool entry_write(
	const struct object *object, ElfW(Sxword) tag, uintptr_t value, uintptr_t *was)
{
	ElfW(Dyn) *entry = image_dynamic_entry(object, tag);
	uintptr_t start = (uintptr_t)entry & ~(PAGE - 1);
	uintptr_t end = ((uintptr_t)(entry + 1) + PAGE - 1) & ~(PAGE - 1);
	bool sealed;

	if (!entry)
		return true;
	if (was)
		*was = entry->d_un.d_val;
	sealed = image_is_sealed(object, (uintptr_t)entry);
	if (sealed && sys_protect((void *)start, end - start, PROT_READ | PROT_WRITE))
		return false;
	entry->d_un.d_val = value;
	if (sealed)
		sys_protect((void *)start, end - start, PROT_READ);
	return true;
}

void finalizers_run(struct object *object)
{
	uintptr_t size = 0, last = 0;
	void (**array)(void) =
		(void (**)(void))(object->bias + image_dynamic_value(object, DT_FINI_ARRAY));

	if (object->finalized || are_in_vain(object) ||
		!entry_write(object, DT_FINI_ARRAYSZ, 0, &size))
		return;
	entry_write(object, DT_FINI, (uintptr_t)nothing - object->bias, &last);
	object->finalized = true;
	object->fini_array_size = size;
	object->fini = last;
	for (size_t i = size / sizeof(*array); i--;)
		array[i]();
	if (last)
		((void (*)(void))(object->bias + last))();
	/* the start files remember that they called it once, and never do so again */
	if (object->revived && generation_at(object->generation)->dso)
		__cxa_finalize(generation_at(object->generation)->dso);
}

void finalizers_undo(struct object *object)
{
	void (*init)(int, char **, char **);
	void (**array)(int, char **, char **);
	size_t count = image_dynamic_value(object, DT_INIT_ARRAYSZ) / sizeof(*array);

	if (!object->finalized)
		return;
	entry_write(object, DT_FINI_ARRAYSZ, object->fini_array_size, NULL);
	entry_write(object, DT_FINI, object->fini, NULL);
	object->finalized = false;
	object->revived = true;
	if (image_dynamic_value(object, DT_INIT)) {
		init = (void (*)(int, char **, char **))(
			object->bias + image_dynamic_value(object, DT_INIT));
		init(arguments.count, arguments.values, environ);
	}
	array = (void (**)(int, char **, char **))(
		object->bias + image_dynamic_value(object, DT_INIT_ARRAY));
	for (size_t i = 0; i < count; i++)
		array[i](arguments.count, arguments.values, environ);
}
