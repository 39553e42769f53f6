/* SPDX-License-Identifier: MIT */
/* What the file takes from elsewhere: libraries, versions, symbols. */
#include "cli/check.h"
#include "elf/memory.h"

#include <string.h>

static const char advice_missing[] =
	"dlopen fails, unless the host has loaded a library of that name before: install it, set "
	"LD_LIBRARY_PATH, or link with -Wl,-rpath,'$ORIGIN'";

static void check_missing(const struct subject *subject)
{
	const struct closure_missing *missing;
	struct finding *finding;
	size_t i;

	for (i = 0; i < subject->closure->missing_count; i++) {
		missing = &subject->closure->missing[i];
		if (missing->why) {
			finding_add(subject, WEIGHT_CANNOT_LOAD, "needed-damaged",
				text_format(
					"it needs a library that cannot be read: %s", missing->why),
				NULL);
			continue;
		}
		finding = finding_add(subject, WEIGHT_CANNOT_LOAD, "needed-missing",
			missing->user == subject->object
				? text_copy("it needs a library that is not found")
				: text_format("%s, which it brings in, needs a library that is "
					      "not found",
					  missing->user->name),
			advice_missing);
		finding_name(finding, missing->name);
	}
}

static bool version_exists(const struct dynamic *library, const char *version)
{
	size_t i;

	/* A library without versions serves all, says the loader. */
	if (!library->version_count)
		return true;
	for (i = 0; i < library->version_count; i++)
		if (strcmp(library->versions[i], version) == 0)
			return true;
	return false;
}

static void check_object_versions(
	const struct subject *subject, const struct closure_object *object)
{
	const struct closure_object *library;
	const struct version_need *need;
	struct finding *finding;
	size_t i;

	for (i = 0; i < object->dynamic.version_need_count; i++) {
		need = &object->dynamic.version_needs[i];
		library = closure_named(subject->closure, need->library);
		if (need->weak || !library || version_exists(&library->dynamic, need->version))
			continue;
		finding = finding_add(subject, WEIGHT_CANNOT_LOAD, "version-missing",
			text_format("%s%s needs a version that %s does not have",
				object == subject->object ? "it" : object->name,
				object == subject->object ? "" : ", which it brings in,",
				library->dynamic.path),
			"dlopen fails: build it for the version that is installed here");
		finding_name(finding, need->version);
	}
}

/* What the compiler refers to for the case that somebody has it. */
static bool symbol_is_customary(const char *name)
{
	static const char *const names[] = {"__gmon_start__", "_ITM_deregisterTMCloneTable",
		"_ITM_registerTMCloneTable", "_Jv_RegisterClasses", "__cxa_finalize"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool symbol_is_supplied(const struct closure *closure, const char *name)
{
	const struct dynamic_symbol *symbol;
	size_t i;

	for (i = 0; i < closure->count; i++) {
		symbol = dynamic_symbol(&closure->objects[i]->dynamic, name);
		if (symbol && symbol_is_exported(symbol))
			return true;
	}
	return false;
}

static struct finding *undefined_finding(const struct subject *subject, bool weak)
{
	if (weak)
		return finding_add(subject, WEIGHT_NOTE, "undefined-weak",
			text_copy("weak symbols that nothing it needs defines"),
			"they are 0 unless the host defines them");
	if (subject->closure->host)
		return finding_add(subject, WEIGHT_WARNING, "undefined",
			text_copy("undefined symbols that neither the host nor anything it needs "
				  "defines"),
			"dlopen fails, with RTLD_LAZY the first call, unless another plugin "
			"supplies them");
	return finding_add(subject, WEIGHT_WARNING, "undefined",
		text_copy("undefined symbols that nothing it needs defines"),
		"they must come from the host (--host=PROGRAM looks whether they do)");
}

static void check_undefined(const struct subject *subject)
{
	struct finding *findings[2] = {NULL, NULL};
	const struct dynamic_symbol *symbol;
	bool weak;
	size_t i;

	for (i = 1; i < subject->dynamic->symbol_count; i++) {
		symbol = &subject->dynamic->symbols[i];
		if (symbol->defined || !symbol->bound || !*symbol->name ||
			symbol->bind == STB_LOCAL || symbol_is_customary(symbol->name) ||
			symbol_is_supplied(subject->closure, symbol->name))
			continue;
		weak = symbol->bind == STB_WEAK;
		if (!findings[weak])
			findings[weak] = undefined_finding(subject, weak);
		finding_symbol(findings[weak], symbol->name);
	}
}

void check_needs(const struct subject *subject)
{
	size_t i;

	check_missing(subject);
	for (i = 0; i < subject->closure->count; i++)
		if (!subject->closure->objects[i]->by_host)
			check_object_versions(subject, subject->closure->objects[i]);
	check_undefined(subject);
}
