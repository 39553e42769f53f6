/* SPDX-License-Identifier: MIT */
/* Reports say what a session holds: as text, as JSON, and compared with another. */
#include "cli/diff.h"
#include "cli/leaks-report.h"
#include "tests/unit/session-maker.h"
#include "tests/unit/suite.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct session_maker maker;
static char path[] = "/tmp/relib-leaks-XXXXXX";
static struct report report;
static char *text;
static size_t text_size;

static void setup(void)
{
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
}

static void teardown(void)
{
	report_close(&report);
	report.all = false;
	maker_end(&maker);
	unlink(path);
	free(text);
	text = NULL;
}

static void read_report(const char *glob)
{
	struct error error;

	ck_assert_int_eq(maker_write(&maker, path), 0);
	ck_assert_msg(
		report_add(&report, path, &(struct leaks_scope){glob, KINDS_ALL}, &error) == 0,
		"%s", error.message);
}

static void write_text(void)
{
	struct paper paper = {open_memstream(&text, &text_size), false};

	report_write_text(&report, &paper);
	fclose(paper.out);
}

#define says(words) ck_assert_msg(strstr(text, words) != NULL, "no \"%s\" in:\n%s", words, text)

START_TEST(sums_up_modules)
{
	struct leaks *leaks;

	read_report(NULL);
	leaks = report.leaks[0];
	ck_assert_uint_eq(leaks->module_count, 2);
	ck_assert_uint_eq(leaks->file_count, 2);
	ck_assert_uint_eq(leaks->unloaded, 4);
	ck_assert_uint_eq(leaks->leaked.bytes, 192);
	ck_assert_uint_eq(leaks->kept.bytes, 1000);
	ck_assert_uint_eq(leaks->modules[0].place_count, 2);
	ck_assert_uint_eq(leaks->modules[0].places[0].residues.count, 3);
	ck_assert_uint_eq(leaks->modules[1].brought_by, leaks->modules[0].object);
	ck_assert(report_is_at_fault(&report));
}
END_TEST

START_TEST(text_says_it)
{
	read_report(NULL);
	write_text();
	says("host --fast  process 4321, exited");
	says("plugin.so  /nonexistent/plugin.so");
	says("generations 1-2: each left 1 block, 64 bytes\n");
	says("generation 3: left 2 blocks, 1,064 bytes (1 kept)\n");
	says("leaked 3 blocks, 192 bytes (1 block, 64 bytes in each of 3 generations), freed by "
	     "relib");
	says("kept 1 block, 1,000 bytes\n    still referred to by host+0x4010");
	says("plugin.so+0x1169 (file gone)");
	says("brought in by plugin.so");
	says("note: plugin.so: a block was freed that relib had freed already");
	says("relib: 2 modules, 4 generations unloaded: "
	     "leaked 3 blocks, 192 bytes (freed), kept 1 block, 1,000 bytes\n");
}
END_TEST

START_TEST(text_tells_what_was_dropped)
{
	struct session_place *place = maker_record(&maker, SESSION_PLACES, 2);
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 3);

	place->kept_blocks = place->kept_bytes = 0;
	place->reclaimed_blocks = 1;
	place->reclaimed_bytes = 1000;
	generation->kept_blocks = generation->kept_bytes = 0;
	generation->reclaimed_blocks++;
	generation->reclaimed_bytes += 1000;
	read_report(NULL);
	ck_assert_uint_eq(report.leaks[0]->dropped.bytes, 1000);
	write_text();
	says("generation 3: left 2 blocks, 1,064 bytes\n");
	says("dropped 1 block, 1,000 bytes: kept at first, freed by relib once nothing referred to "
	     "it");
	says("leaked 3 blocks, 192 bytes (freed), dropped 1 block, 1,000 bytes\n");
}
END_TEST

START_TEST(text_counts_what_was_never_unloaded)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 4);

	generation->state = SESSION_LOADED;
	generation->parent = 0;
	read_report(NULL);
	write_text();
	ck_assert_ptr_null(strstr(text, "libhelper"));
	says("\nnever unloaded: 1 module\n");
}
END_TEST

START_TEST(text_lists_what_was_left_behind)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 4);
	struct session_stay stay = {
		.generation = 4, .kind = SESSION_STAY_NODELETE_FILE, .current = 1};

	ck_assert_uint_ne(generation->parent, 0);
	generation->state = SESSION_LOADED;
	maker_add(&maker, SESSION_STAYS, &stay);
	read_report(NULL);
	write_text();
	says("\nstill loaded though what brought it is gone: 1 module\n"
	     "  libhelper.so: linked with -z nodelete\n");
	ck_assert_ptr_null(strstr(text, "never unloaded"));
	ck_assert_uint_eq(report.leaks[0]->faults.not_unloaded, 0);
	free(text);
	report.all = true;
	write_text();
	says("  generation 1: still loaded though what brought it is gone\n"
	     "    linked with -z nodelete\n");
}
END_TEST

/* Many that left nothing are one paragraph, and each has its own where they are few. */
START_TEST(text_gathers_what_left_nothing)
{
	struct session_object object =
		*(struct session_object *)maker_record(&maker, SESSION_OBJECTS, 2);
	struct session_generation generation = {.number = 1, .state = SESSION_UNLOADED};
	char name[32];
	int i;

	for (i = 0; i < 12; i++) {
		if (i == 2) { /* with libhelper.so */
			read_report(NULL);
			write_text();
			says("\nclean-1.so  /nonexistent/clean-1.so");
			ck_assert_ptr_null(strstr(text, "unloaded, and left nothing"));
			report_close(&report);
			free(text);
		}
		snprintf(name, sizeof(name), "/nonexistent/clean-%d.so", i);
		object.path = maker_string(&maker, name);
		generation.object = maker_add(&maker, SESSION_OBJECTS, &object);
		maker_add(&maker, SESSION_GENERATIONS, &generation);
	}
	read_report(NULL);
	write_text();
	says("\nunloaded, and left nothing: 13 modules, 13 generations\n"
	     "  libhelper.so, clean-0.so, clean-1.so, clean-2.so, clean-3.so, clean-4.so,\n"
	     "  clean-5.so, ");
	ck_assert_ptr_null(strstr(text, "/nonexistent/clean-2.so"));
}
END_TEST

START_TEST(text_is_calm_about_nothing)
{
	struct session_place *place;
	uint32_t i;

	for (i = 1; i < 3; i++) {
		place = maker_record(&maker, SESSION_PLACES, i);
		place->leaked_blocks = place->reclaimed_blocks = place->kept_blocks = 0;
		place->leaked_bytes = place->reclaimed_bytes = place->kept_bytes = 0;
	}
	read_report(NULL);
	ck_assert(!report_is_at_fault(&report));
	write_text();
	says("generations unloaded: nothing left\n");
}
END_TEST

START_TEST(text_shows_no_control_characters)
{
	uint32_t bad = maker_string(&maker, "evil\033[2J\nhost");

	maker_header(&maker)->command_line = bad;
	read_report(NULL);
	write_text();
	ck_assert_ptr_null(strchr(text, '\033'));
}
END_TEST

START_TEST(glob_limits_modules)
{
	read_report("lib*.so");
	ck_assert_uint_eq(report.leaks[0]->module_count, 1);
	ck_assert_uint_eq(report.leaks[0]->leaked.blocks, 0);
}
END_TEST

START_TEST(blind_unloads_are_explained)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 2);

	generation->state = SESSION_UNLOADED_BLIND;
	generation->stop_errno = 1;
	read_report(NULL);
	write_text();
	says("generation 2: unloaded, but its memory was not looked through: "
	     "the other threads could not be stopped: Operation not permitted; nothing was freed");
}
END_TEST

START_TEST(modules_may_bring_each_other)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 1);

	/* Only a damaged file says so. */
	generation->parent = 4;
	read_report(NULL);
	ck_assert_uint_eq(report.leaks[0]->module_count, 2);
	write_text();
}
END_TEST

static struct json_object *at(struct json_object *object, const char *pointer)
{
	struct json_object *found = NULL;

	ck_assert_msg(json_pointer_get(object, pointer, &found) == 0, "no %s", pointer);
	return found;
}

START_TEST(json_follows_its_schema)
{
	struct json_object *object, *place;
	FILE *out = open_memstream(&text, &text_size);

	read_report(NULL);
	report_write_json(&report, out);
	fclose(out);
	object = json_tokener_parse(text);
	ck_assert_ptr_nonnull(object);
	ck_assert_str_eq(json_object_get_string(at(object, "/schema")), "relib-leaks");
	ck_assert_int_eq(json_object_get_int(at(object, "/version")), 1);
	ck_assert_str_eq(json_object_get_string(at(object, "/sessions/0/started")),
		"2023-11-14T22:13:20.000000Z");
	ck_assert_str_eq(json_object_get_string(at(object, "/sessions/0/state")), "exited");
	ck_assert_int_eq(json_object_get_int(at(object, "/sessions/0/totals/kept/bytes")), 1000);
	ck_assert_ptr_null(at(object, "/sessions/0/modules/0/generations/0/parent"));
	ck_assert_int_eq(json_object_get_int(
				 at(object, "/sessions/0/modules/1/generations/0/parent/number")),
		1);
	place = at(object, "/sessions/0/modules/0/places/0");
	ck_assert_int_eq(json_object_get_int(at(place, "/leaked/bytes")), 192);
	ck_assert_int_eq(json_object_array_length(at(place, "/residue")), 3);
	ck_assert_str_eq(json_object_get_string(at(place, "/stack/0/offset")), "0x1169");
	ck_assert_ptr_null(at(place, "/stack/0/function"));
	ck_assert_str_eq(json_object_get_string(
				 at(object, "/sessions/0/modules/0/places/1/residue/0/root/kind")),
		"global");
	json_object_put(object);
}
END_TEST

START_TEST(json_is_utf8_whatever_paths_are)
{
	struct json_object *object;
	uint32_t bad = maker_string(&maker, "a\xff\xc3\x28\xed\xa0\x80 \xc3\xa4");
	FILE *out = open_memstream(&text, &text_size);

	maker_header(&maker)->command_line = bad;
	read_report(NULL);
	report_write_json(&report, out);
	fclose(out);
	object = json_tokener_parse(text);
	ck_assert_str_eq(json_object_get_string(at(object, "/sessions/0/command")),
		"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xc3\xa4");
	json_object_put(object);
}
END_TEST

START_TEST(diff_finds_growth)
{
	struct session_place *place = maker_record(&maker, SESSION_PLACES, 1);
	struct json_object *object;
	struct paper paper;
	struct diff *diff;
	FILE *out;

	read_report(NULL);
	place->leaked_blocks += 2;
	place->leaked_bytes += 128;
	read_report(NULL);
	diff = diff_open(report.leaks[0], report.leaks[1]);
	ck_assert_uint_eq(diff->count, 2);
	ck_assert(diff_has_growth(diff));
	ck_assert_int_eq(diff->leaked.bytes, 128);
	ck_assert_int_eq(diff->kept.bytes, 0);
	paper = (struct paper){open_memstream(&text, &text_size), false};
	diff_write_text(diff, false, &paper);
	fclose(paper.out);
	says("leaked +2 blocks, +128 bytes  (from 3 blocks, 192 bytes to 5 blocks, 320 bytes)");
	free(text);
	out = open_memstream(&text, &text_size);
	diff_write_json(diff, true, out);
	fclose(out);
	object = json_tokener_parse(text);
	ck_assert_int_eq(json_object_array_length(at(object, "/places")), 2);
	ck_assert_int_eq(json_object_get_int(at(object, "/places/0/growth/leaked/blocks")), 2);
	json_object_put(object);
	diff_close(diff);
	diff = diff_open(report.leaks[1], report.leaks[0]);
	ck_assert(!diff_has_growth(diff));
	ck_assert_int_eq(diff->leaked.bytes, -128);
	diff_close(diff);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli-leaks");

	suite_add(suite, "sums_up_modules", sums_up_modules, setup, teardown);
	suite_add(suite, "text_says_it", text_says_it, setup, teardown);
	suite_add(
		suite, "text_tells_what_was_dropped", text_tells_what_was_dropped, setup, teardown);
	suite_add(suite, "text_counts_what_was_never_unloaded", text_counts_what_was_never_unloaded,
		setup, teardown);
	suite_add(suite, "text_lists_what_was_left_behind", text_lists_what_was_left_behind, setup,
		teardown);
	suite_add(suite, "text_gathers_what_left_nothing", text_gathers_what_left_nothing, setup,
		teardown);
	suite_add(suite, "text_is_calm_about_nothing", text_is_calm_about_nothing, setup, teardown);
	suite_add(suite, "text_shows_no_control_characters", text_shows_no_control_characters,
		setup, teardown);
	suite_add(suite, "glob_limits_modules", glob_limits_modules, setup, teardown);
	suite_add(
		suite, "blind_unloads_are_explained", blind_unloads_are_explained, setup, teardown);
	suite_add(suite, "modules_may_bring_each_other", modules_may_bring_each_other, setup,
		teardown);
	suite_add(suite, "json_follows_its_schema", json_follows_its_schema, setup, teardown);
	suite_add(suite, "json_is_utf8_whatever_paths_are", json_is_utf8_whatever_paths_are, setup,
		teardown);
	suite_add(suite, "diff_finds_growth", diff_finds_growth, setup, teardown);
	return suite_run(suite);
}
