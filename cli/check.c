/* SPDX-License-Identifier: MIT */
#include "cli/check.h"

#include "elf/demangle.h"
#include "elf/memory.h"
#include "elf/plugin-file.h"

#include <stdlib.h>
#include <string.h>

struct finding *finding_add(const struct subject *subject, enum weight weight, const char *kind,
	char *text, const char *then)
{
	struct check *check = subject->check;
	struct finding *finding = memory_zeroed(1, sizeof(*finding)), **to;

	finding->weight = weight;
	finding->kind = kind;
	finding->text = text;
	finding->then = then;
	to = array_append(&check->findings, &check->finding_count, sizeof(*to));
	for (; to > check->findings && to[-1]->weight < weight; to--)
		to[0] = to[-1];
	*to = finding;
	return finding;
}

void finding_name(struct finding *finding, const char *name)
{
	char **to = array_append(&finding->names, &finding->name_count, sizeof(*to));

	*to = text_copy(name);
}

void finding_symbol(struct finding *finding, const char *name)
{
	char **to = array_append(&finding->names, &finding->name_count, sizeof(*to));

	*to = name_demangled(name);
}

bool library_is_runtime(const struct closure_object *object)
{
	static const char *const names[] = {"libc.so.", "libm.so.", "libpthread.so.", "libdl.so.",
		"librt.so.", "libutil.so.", "libresolv.so.", "libanl.so.", "libmvec.so.",
		"ld-linux", "ld64.so.", "libgcc_s.so.", "libatomic.so.", "libstdc++.so.",
		"libc++.so.", "libc++abi.so.", "libunwind.so."};
	const char *name = object->dynamic.soname ? object->dynamic.soname : object->name;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

bool subject_refers(const struct subject *subject, const char *name)
{
	const struct dynamic_symbol *symbol = dynamic_symbol(subject->dynamic, name);

	return symbol && !symbol->defined;
}

/* The verdict of a file that could be read. */
static enum verdict findings_verdict(const struct check *check)
{
	if (!check->finding_count)
		return VERDICT_UNLOADS;
	switch (check->findings[0]->weight) {
	case WEIGHT_CANNOT_LOAD:
		return VERDICT_CANNOT_LOAD;
	case WEIGHT_STAYS:
		return VERDICT_STAYS;
	default:
		return VERDICT_UNLOADS;
	}
}

static int subject_check(struct subject *subject, struct closure *closure, struct error *error)
{
	struct check *check = subject->check;

	if (plugin_file_check(check->path, error) < 0)
		return -1;
	subject->object = closure_add(closure, check->path, error);
	if (!subject->object)
		return -1;
	closure_add_runtime(closure);
	subject->dynamic = &subject->object->dynamic;
	if (subject->dynamic->soname)
		check->soname = text_copy(subject->dynamic->soname);
	image_build_id(&subject->dynamic->image, &check->build_id);
	check_marks(subject);
	check_needs(subject);
	check_uniques(subject);
	check_references(subject);
	check->verdict = findings_verdict(check);
	return 0;
}

struct check *check_open(const char *path, const char *host, const struct library_search *search,
	struct error *error)
{
	struct check *check = memory_zeroed(1, sizeof(*check));
	struct subject subject = {.check = check};
	struct closure closure;

	check->path = text_copy(path);
	subject.closure = &closure;
	closure_begin(&closure, search);
	if (host && closure_add_host(&closure, host, error) < 0) {
		check_close(check);
		check = NULL;
	} else if (subject_check(&subject, &closure, error) < 0) {
		check->verdict = VERDICT_UNREADABLE;
		check->error = text_copy(error->message);
	}
	closure_end(&closure);
	return check;
}

static void finding_free(struct finding *finding)
{
	size_t i;

	for (i = 0; i < finding->name_count; i++)
		free(finding->names[i]);
	free(finding->names);
	free(finding->text);
	free(finding);
}

void check_close(struct check *check)
{
	size_t i;

	for (i = 0; i < check->finding_count; i++)
		finding_free(check->findings[i]);
	free(check->findings);
	free(check->soname);
	free(check->error);
	free(check->path);
	free(check);
}

size_t check_list_count(const struct check_list *list, enum verdict verdict)
{
	size_t count = 0, i;

	for (i = 0; i < list->count; i++)
		count += list->checks[i]->verdict == verdict;
	return count;
}
