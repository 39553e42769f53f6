/* SPDX-License-Identifier: MIT */
/* The schema is docs/json.md; what is here changes together with it. */
#include "cli/verdict.h"

#include "cli/json.h"

static struct json_object *json_counts(const struct cause *cause)
{
	struct json_object *array = json_object_new_array(), *object;
	size_t i;

	for (i = 0; i < cause->count_count; i++) {
		object = json_object_new_object();
		json_add(object, "generation", json_number(cause->counts[i].generation));
		json_add(object, "count", json_number(cause->counts[i].tally.blocks));
		json_add(object, "bytes", json_number(cause->counts[i].tally.bytes));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *json_cause(const struct cause *cause)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "kind", json_text(cause->kind->name));
	json_add(object, "check", json_text(check_name(cause->kind->check)));
	json_add(object, "text", json_text(cause->text));
	json_add(object, "module", json_text_or_null(cause->module));
	json_add(object, "place", json_text_or_null(cause->place));
	json_add(object, "function", json_text_or_null(cause->function));
	json_add(object, "file", json_text_or_null(cause->file));
	json_add(object, "line", cause->line ? json_number(cause->line) : NULL);
	json_add(object, "detail", json_text_or_null(cause->detail));
	json_add(object, "generations", json_counts(cause));
	json_add(object, "once", json_object_new_boolean(cause->count_count == 1));
	json_add(object, "allowed", json_object_new_boolean(cause->allowed));
	return object;
}

static struct json_object *json_checks(const struct plugin_verdict *plugin)
{
	static const char *const results[] = {
		[CHECK_PASSED] = "passed", [CHECK_FAILED] = "failed", [CHECK_SKIPPED] = "skipped"};
	struct json_object *array = json_object_new_array(), *object;
	enum check_result result;
	enum check_id check;

	for (check = 0; check < CHECKS; check++) {
		result = plugin_check_result(plugin, check);
		object = json_object_new_object();
		json_add(object, "name", json_text(check_name(check)));
		json_add(object, "words", json_text(check_words(check)));
		json_add(object, "result", json_text(results[result]));
		json_add(object, "reason",
			json_text_or_null(result == CHECK_SKIPPED ? plugin->skipped[check] : NULL));
		json_object_array_add(array, object);
	}
	return array;
}

static struct json_object *json_plugin(const struct plugin_verdict *plugin)
{
	struct json_object *object = json_object_new_object(), *causes = json_object_new_array();
	size_t i;

	for (i = 0; i < plugin->cause_count; i++)
		json_object_array_add(causes, json_cause(plugin->causes[i]));
	json_add(object, "path", json_text(plugin->path));
	json_add(object, "passed", json_object_new_boolean(plugin_is_good(plugin)));
	json_add(object, "cycles", plugin->cycles ? json_number(plugin->cycles) : NULL);
	json_add(object, "loads", json_number(plugin->loads));
	json_add(object, "took_us", json_number(plugin->ns / 1000));
	json_add(object, "checks", json_checks(plugin));
	json_add(object, "causes", causes);
	return object;
}

void verdict_write_json(const struct test_verdict *verdict, FILE *out)
{
	struct json_object *object = json_object_new_object(), *plugins = json_object_new_array();
	size_t i;

	json_add(object, "schema", json_text("relib-test"));
	json_add(object, "version", json_object_new_int(1));
	json_add(object, "passed", json_object_new_boolean(verdict_is_good(verdict)));
	for (i = 0; i < verdict->count; i++)
		json_object_array_add(plugins, json_plugin(verdict->plugins[i]));
	json_add(object, "plugins", plugins);
	json_write(object, out);
	json_object_put(object);
}
