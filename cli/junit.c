/* SPDX-License-Identifier: MIT */
/* The verdict as the XML of JUnit that build servers read. */
#include "cli/junit.h"

#include "cli/utf8.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

static const char *character_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return (unsigned char)c < ' ' ? REPLACEMENT : NULL;
	}
}

/* U+FFFE and U+FFFF are UTF-8, but no characters. */
static bool is_noncharacter(const char *text)
{
	return strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0;
}

char *xml_text(const char *text)
{
	char *clean = utf8_text(text), *escaped = memory_zeroed(strlen(clean) + 1, 6);
	char *to = escaped;
	const char *p, *entity;

	for (p = clean; *p; p++) {
		entity = character_entity(*p);
		if (is_noncharacter(p)) {
			entity = REPLACEMENT;
			p += 2;
		}
		if (entity)
			to = stpcpy(to, entity);
		else
			*to++ = *p;
	}
	free(clean);
	return escaped;
}

static void write_attribute(FILE *out, const char *name, const char *text)
{
	char *escaped = xml_text(text);

	fprintf(out, " %s=\"%s\"", name, escaped);
	free(escaped);
}

static void write_time(FILE *out, uint64_t ns)
{
	fprintf(out, " time=\"%" PRIu64 ".%03" PRIu64 "\"", ns / 1000000000, ns / 1000000 % 1000);
}

/* A line for each cause of a check, those that are allowed or those that are not. */
static char *causes_text(const struct plugin_verdict *plugin, enum check_id check, bool allowed)
{
	char *all = NULL, *longer;
	const struct cause *cause;
	size_t i;

	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		if (cause->kind->check != check || cause->allowed != allowed)
			continue;
		longer = text_format("%s%s\n", all ? all : "", cause->text);
		free(all);
		all = longer;
	}
	return all;
}

static void write_element(FILE *out, const char *name, char *text)
{
	char *escaped = xml_text(text), *p;

	/* Lines are lines there. */
	fprintf(out, "      <%s>", name);
	for (p = escaped; *p; p++) {
		if (strncmp(p, "&#10;", 5) == 0) {
			fputc('\n', out);
			p += 4;
		} else {
			fputc(*p, out);
		}
	}
	fprintf(out, "</%.*s>\n", (int)strcspn(name, " "), name);
	free(escaped);
	free(text);
}

static const struct cause *cause_first(
	const struct plugin_verdict *plugin, enum check_id check, size_t *count)
{
	const struct cause *first = NULL;
	size_t i;

	*count = 0;
	for (i = 0; i < plugin->cause_count; i++) {
		if (plugin->causes[i]->kind->check != check || plugin->causes[i]->allowed)
			continue;
		if (++*count == 1)
			first = plugin->causes[i];
	}
	return first;
}

static void write_failure(FILE *out, const struct plugin_verdict *plugin, enum check_id check)
{
	size_t count;
	const struct cause *first = cause_first(plugin, check, &count);
	char *text = count > 1 ? text_format("%s, and %zu more", first->text, count - 1)
			       : text_copy(first->text);
	char *message = xml_text(text), *element;

	element = text_format("failure type=\"%s\" message=\"%s\"", first->kind->name, message);
	write_element(out, element, causes_text(plugin, check, false));
	free(element);
	free(message);
	free(text);
}

/* The run is one for all checks; its time stands at the one that is about running. */
static void write_check(FILE *out, const struct plugin_verdict *plugin, enum check_id check)
{
	enum check_result result = plugin_check_result(plugin, check);
	char *allowed = causes_text(plugin, check, true);

	fprintf(out, "    <testcase");
	write_attribute(out, "name", check_words(check));
	write_attribute(out, "classname", base_name(plugin->path));
	write_time(out, check == CHECK_RUNS ? plugin->ns : 0);
	fprintf(out, ">\n");
	if (result == CHECK_FAILED)
		write_failure(out, plugin, check);
	if (result == CHECK_SKIPPED) {
		fprintf(out, "      <skipped");
		write_attribute(out, "message", plugin->skipped[check]);
		fprintf(out, "/>\n");
	}
	if (allowed)
		write_element(out, "system-out", text_format("allowed: %s", allowed));
	free(allowed);
	fprintf(out, "    </testcase>\n");
}

/* What a suite and all of them say of their tests. */
struct totals {
	size_t tests, failures, skipped;
	uint64_t ns;
};

static void totals_add(struct totals *totals, const struct plugin_verdict *plugin)
{
	enum check_id check;

	for (check = 0; check < CHECKS; check++) {
		totals->tests++;
		totals->failures += plugin_check_result(plugin, check) == CHECK_FAILED;
		totals->skipped += plugin_check_result(plugin, check) == CHECK_SKIPPED;
	}
	totals->ns += plugin->ns;
}

static void write_totals(FILE *out, const struct totals *totals)
{
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"", totals->tests,
		totals->failures, totals->skipped);
	write_time(out, totals->ns);
}

static void write_suite(FILE *out, const struct plugin_verdict *plugin)
{
	struct totals totals = {0};
	enum check_id check;

	totals_add(&totals, plugin);
	fprintf(out, "  <testsuite");
	write_attribute(out, "name", plugin->path);
	write_totals(out, &totals);
	fprintf(out, ">\n");
	for (check = 0; check < CHECKS; check++)
		write_check(out, plugin, check);
	fprintf(out, "  </testsuite>\n");
}

void verdict_write_junit(const struct test_verdict *verdict, FILE *out)
{
	struct totals totals = {0};
	size_t i;

	for (i = 0; i < verdict->count; i++)
		totals_add(&totals, verdict->plugins[i]);
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"relib test\"");
	write_totals(out, &totals);
	fprintf(out, ">\n");
	for (i = 0; i < verdict->count; i++)
		write_suite(out, verdict->plugins[i]);
	fprintf(out, "</testsuites>\n");
}
