/* SPDX-License-Identifier: MIT */
/* The verdict in the Test Anything Protocol, version 13. */
#include "cli/tap.h"

#include "cli/utf8.h"
#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

char *tap_text(const char *text)
{
	char *clean = utf8_text(text), *escaped = memory_zeroed(strlen(clean) + 1, 2);
	char *to = escaped;
	const char *p;

	for (p = clean; *p; p++) {
		if (*p == '#' || *p == '\\')
			*to++ = '\\';
		*to++ = (unsigned char)*p < ' ' || *p == 0x7f ? '?' : *p;
	}
	free(clean);
	return escaped;
}

char *yaml_text(const char *text)
{
	char *clean = utf8_text(text), *quoted = memory_zeroed(strlen(clean) + 1, 4);
	char *to = quoted;
	const char *p;

	*to++ = '"';
	for (p = clean; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f) {
			to += sprintf(to, "\\x%02x", (unsigned char)*p);
			continue;
		}
		if (*p == '"' || *p == '\\')
			*to++ = '\\';
		*to++ = *p;
	}
	*to = '"';
	free(clean);
	return quoted;
}

static void write_yaml(FILE *out, const char *indent, const char *key, const char *text)
{
	char *quoted;

	if (!text)
		return;
	quoted = yaml_text(text);
	fprintf(out, "%s%s: %s\n", indent, key, quoted);
	free(quoted);
}

static void write_cause(FILE *out, const struct cause *cause)
{
	write_yaml(out, "    - ", "kind", cause->kind->name);
	write_yaml(out, "      ", "message", cause->text);
	write_yaml(out, "      ", "module", cause->module);
	write_yaml(out, "      ", "function", cause->function);
	write_yaml(out, "      ", "file", cause->file);
	if (cause->line)
		fprintf(out, "      line: %d\n", cause->line);
	if (cause->allowed)
		fprintf(out, "      allowed: true\n");
}

/* What is allowed is told as well, below a test that passes. */
static void write_causes(FILE *out, const struct plugin_verdict *plugin, enum check_id check)
{
	const struct cause *cause;
	bool open = false;
	size_t i;

	for (i = 0; i < plugin->cause_count; i++) {
		cause = plugin->causes[i];
		if (cause->kind->check != check)
			continue;
		if (!open) {
			fprintf(out, "  ---\n");
			write_yaml(out, "  ", "message", cause->text);
			fprintf(out, "  causes:\n");
		}
		open = true;
		write_cause(out, cause);
	}
	if (open)
		fprintf(out, "  ...\n");
}

static void write_check(
	FILE *out, const struct plugin_verdict *plugin, enum check_id check, size_t number)
{
	enum check_result result = plugin_check_result(plugin, check);
	char *path = tap_text(plugin->path), *reason;

	fprintf(out, "%s %zu - %s: %s", result == CHECK_FAILED ? "not ok" : "ok", number, path,
		check_words(check));
	if (result == CHECK_SKIPPED) {
		reason = tap_text(plugin->skipped[check]);
		fprintf(out, " # SKIP %s", reason);
		free(reason);
	}
	fprintf(out, "\n");
	write_causes(out, plugin, check);
	free(path);
}

void verdict_write_tap(const struct test_verdict *verdict, FILE *out)
{
	size_t i, number = 0;
	enum check_id check;

	fprintf(out, "TAP version 13\n1..%zu\n", verdict->count * CHECKS);
	for (i = 0; i < verdict->count; i++)
		for (check = 0; check < CHECKS; check++)
			write_check(out, verdict->plugins[i], check, ++number);
}
