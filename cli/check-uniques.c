/* SPDX-License-Identifier: MIT */
/*
 * STB_GNU_UNIQUE: the loader gives the whole process one definition of such a
 * symbol, and keeps the object for ever whose definition was bound first.
 */
#include "cli/check.h"
#include "elf/memory.h"

#include <string.h>

enum unique_fate {
	UNIQUE_UNBOUND, /* nothing that is loaded with the file looks it up */
	UNIQUE_HOST,	/* bound to the host's */
	UNIQUE_RUNTIME, /* bound to the C++ runtime's, where the host has that */
	UNIQUE_PINS,
};

static const struct dynamic_symbol *definition(
	const struct closure_object *object, const char *name)
{
	const struct dynamic_symbol *symbol = dynamic_symbol(&object->dynamic, name);

	return symbol && symbol_is_exported(symbol) ? symbol : NULL;
}

/* A library that came with the file finds the file's definition before its own. */
static bool unique_is_bound(const struct subject *subject, const struct dynamic_symbol *unique)
{
	const struct dynamic_symbol *symbol;
	const struct closure_object *object;
	size_t i;

	if (unique->bound)
		return true;
	for (i = 0; i < subject->closure->count; i++) {
		object = subject->closure->objects[i];
		if (object->by_host || object == subject->object || library_is_runtime(object))
			continue;
		symbol = dynamic_symbol(&object->dynamic, unique->name);
		if (symbol && symbol->bound)
			return true;
	}
	return false;
}

static enum unique_fate unique_fate(
	const struct subject *subject, const struct dynamic_symbol *unique)
{
	const struct closure_object *object;
	size_t i;

	if (!unique_is_bound(subject, unique))
		return UNIQUE_UNBOUND;
	for (i = 0; i < subject->closure->count; i++) {
		object = subject->closure->objects[i];
		if (object == subject->object || !definition(object, unique->name))
			continue;
		if (object->by_host && subject->closure->host)
			return UNIQUE_HOST;
		if (library_is_runtime(object) && !subject->closure->host)
			return UNIQUE_RUNTIME;
	}
	return UNIQUE_PINS;
}

static struct finding *fate_finding(const struct subject *subject, enum unique_fate fate)
{
	switch (fate) {
	case UNIQUE_PINS:
		return finding_add(subject, WEIGHT_STAYS, "unique",
			text_copy("it defines and binds unique symbols (STB_GNU_UNIQUE), which "
				  "the loader never lets go"),
			"compile with -fno-gnu-unique");
	case UNIQUE_RUNTIME:
		return finding_add(subject, WEIGHT_WARNING, "unique-runtime",
			text_copy("it defines unique symbols (STB_GNU_UNIQUE) that the C++ runtime "
				  "defines too"),
			"a host that has not loaded that runtime itself keeps the file for ever: "
			"compile with -fno-gnu-unique");
	case UNIQUE_UNBOUND:
		return finding_add(subject, WEIGHT_NOTE, "unique-unbound",
			text_copy(
				"it defines unique symbols (STB_GNU_UNIQUE) that it does not bind"),
			"another object that binds one keeps the file for ever: compile with "
			"-fno-gnu-unique");
	default:
		return finding_add(subject, WEIGHT_NOTE, "unique-host",
			text_copy("its unique symbols (STB_GNU_UNIQUE) are bound to the host's"),
			NULL);
	}
}

/* Also of the libraries that stay because of theirs. */
static bool object_is_pinned(const struct closure_object *object)
{
	const struct dynamic *d = &object->dynamic;
	size_t i;

	if (d->flags_1 & DF_1_NODELETE)
		return true;
	for (i = 1; i < d->symbol_count; i++)
		if (d->symbols[i].bind == STB_GNU_UNIQUE && d->symbols[i].defined &&
			d->symbols[i].bound)
			return true;
	return false;
}

static void check_needed(const struct subject *subject)
{
	const struct closure_object *object;
	struct finding *finding = NULL;
	size_t i;

	for (i = 0; i < subject->closure->count; i++) {
		object = subject->closure->objects[i];
		if (object->by_host || object == subject->object || library_is_runtime(object) ||
			!object_is_pinned(object))
			continue;
		if (!finding)
			finding = finding_add(subject, WEIGHT_NOTE, "needed-stays",
				text_copy("libraries that it brings in are never unloaded"),
				"they stay when it goes");
		finding_name(finding, object->name);
	}
}

void check_uniques(const struct subject *subject)
{
	struct finding *findings[UNIQUE_PINS + 1] = {NULL};
	const struct dynamic_symbol *symbol;
	enum unique_fate fate;
	size_t i;

	for (i = 1; i < subject->dynamic->symbol_count; i++) {
		symbol = &subject->dynamic->symbols[i];
		if (symbol->bind != STB_GNU_UNIQUE || !symbol->defined || !*symbol->name)
			continue;
		fate = unique_fate(subject, symbol);
		if (!findings[fate])
			findings[fate] = fate_finding(subject, fate);
		finding_symbol(findings[fate], symbol->name);
	}
	check_needed(subject);
}
