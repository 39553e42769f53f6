/* SPDX-License-Identifier: MIT */
/* Writing checks, for people and for programs. */
#include "cli/check.h"
#include "cli/json.h"

#define NAMES_SHOWN 5

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {"unloads", "stays", "cannot-load", "unreadable"};

	return names[verdict];
}

const char *weight_name(enum weight weight)
{
	static const char *const names[] = {"note", "warning", "stays", "cannot-load"};

	return names[weight];
}

static const struct {
	const char *text;
	enum ink ink;
} verdict_words[] = {
	{"will unload", INK_GOOD},
	{"will not unload", INK_BAD},
	{"cannot be loaded", INK_BAD},
	{"cannot be read", INK_BAD},
};

static void finding_write(const struct finding *finding, bool all, const struct paper *paper)
{
	static const char *const leads[] = {"note", "warning", "stays", "fails"};
	static const enum ink inks[] = {INK_FAINT, INK_WARN, INK_BAD, INK_BAD};
	size_t shown = finding->name_count, i;

	if (!all && shown > NAMES_SHOWN + 1)
		shown = NAMES_SHOWN;
	paper_print(paper, inks[finding->weight], "  %-8s", leads[finding->weight]);
	paper_print(paper, INK_PLAIN, " %s", finding->text);
	for (i = 0; i < shown; i++)
		paper_print(paper, INK_PLAIN, "%s%s", i ? ", " : ": ", finding->names[i]);
	if (shown < finding->name_count)
		paper_print(paper, INK_PLAIN, " and %zu more", finding->name_count - shown);
	paper_print(paper, INK_PLAIN, "\n");
	if (finding->then)
		paper_print(paper, INK_PLAIN, "           %s\n", finding->then);
}

static void check_write(const struct check *check, bool all, const struct paper *paper)
{
	size_t i;

	paper_print(paper, INK_TITLE, "%s", check->path);
	paper_print(paper, INK_PLAIN, ": ");
	paper_print(
		paper, verdict_words[check->verdict].ink, "%s", verdict_words[check->verdict].text);
	paper_print(paper, INK_PLAIN, "\n");
	for (i = 0; i < check->finding_count; i++)
		finding_write(check->findings[i], all, paper);
}

void check_list_write_text(const struct check_list *list, const struct paper *paper)
{
	static const char *const words[] = {
		"will unload", "will not", "cannot be loaded", "cannot be read"};
	char text[NUMBER_SIZE];
	const char *lead = ": ";
	size_t i, count;

	for (i = 0; i < list->count; i++)
		check_write(list->checks[i], list->all, paper);
	if (list->count < 2)
		return;
	paper_print(paper, INK_PLAIN, "relib: %s", count_text(text, list->count, "file"));
	for (i = 0; i < VERDICT_COUNT; i++) {
		if (!(count = check_list_count(list, i)))
			continue;
		paper_print(paper, INK_PLAIN, "%s%s %s", lead, number_text(text, count), words[i]);
		lead = ", ";
	}
	paper_print(paper, INK_PLAIN, "\n");
}

static struct json_object *finding_json(const struct finding *finding)
{
	struct json_object *object = json_object_new_object(), *names = json_object_new_array();
	size_t i;

	for (i = 0; i < finding->name_count; i++)
		json_object_array_add(names, json_text(finding->names[i]));
	json_add(object, "kind", json_text(finding->kind));
	json_add(object, "weight", json_text(weight_name(finding->weight)));
	json_add(object, "text", json_text(finding->text));
	json_add(object, "consequence", json_text_or_null(finding->then));
	json_add(object, "names", names);
	return object;
}

static struct json_object *check_json(const struct check *check)
{
	struct json_object *object = json_object_new_object(), *findings = json_object_new_array();
	const struct build_id *id = &check->build_id;
	size_t i;

	for (i = 0; i < check->finding_count; i++)
		json_object_array_add(findings, finding_json(check->findings[i]));
	json_add(object, "path", json_text(check->path));
	json_add(object, "verdict", json_text(verdict_name(check->verdict)));
	json_add(object, "error", json_text_or_null(check->error));
	json_add(object, "soname", json_text_or_null(check->soname));
	json_add(object, "build_id", id->size ? json_bytes(id->bytes, id->size) : NULL);
	json_add(object, "findings", findings);
	return object;
}

void check_list_write_json(const struct check_list *list, FILE *out)
{
	struct json_object *object = json_object_new_object(), *files = json_object_new_array();
	struct json_object *totals = json_object_new_object();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(files, check_json(list->checks[i]));
	for (i = 0; i < VERDICT_COUNT; i++)
		json_add(totals, verdict_name(i), json_number(check_list_count(list, i)));
	json_add(object, "schema", json_text("relib-check"));
	json_add(object, "version", json_number(1));
	json_add(object, "files", files);
	json_add(object, "totals", totals);
	json_write(object, out);
	json_object_put(object);
}
