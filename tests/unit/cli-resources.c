/* SPDX-License-Identifier: MIT */
/* What modules acquire besides memory is summed up, told in text and in JSON, and compared. */
#include "cli/balance.h"
#include "cli/diff.h"
#include "cli/leaks-report.h"
#include "tests/unit/session-maker.h"
#include "tests/unit/suite.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct session_maker maker;
static char path[] = "/tmp/relib-resources-XXXXXX";
static struct report report;
static char *text;
static size_t text_size;
static struct json_object *json;

/* The sample without its memory and notes, so that only things are at fault. */
static void setup(void)
{
	struct session_place *place;
	struct session_generation *generation;
	uint32_t i;

	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
	for (i = 1; i < 3; i++) {
		place = maker_record(&maker, SESSION_PLACES, i);
		place->leaked_blocks = place->reclaimed_blocks = place->kept_blocks = 0;
		place->leaked_bytes = place->reclaimed_bytes = place->kept_bytes = 0;
	}
	for (i = 1; i < 4; i++) {
		generation = maker_record(&maker, SESSION_GENERATIONS, i);
		generation->leaked_blocks = generation->leaked_bytes = 0;
		generation->kept_blocks = generation->kept_bytes = 0;
		generation->reclaimed_blocks = generation->reclaimed_bytes = 0;
	}
	maker_header(&maker)->table[SESSION_RESIDUES].record_count = 1;
}

static void setup_sample(void)
{
	setup();
	maker_sample_resources(&maker);
}

static void teardown(void)
{
	report_close(&report);
	report.all = false;
	maker_end(&maker);
	unlink(path);
	free(text);
	text = NULL;
	json_object_put(json);
	json = NULL;
}

static struct leaks *read_kinds(const char *kinds)
{
	struct leaks_scope scope = {.kinds = KINDS_ALL};
	struct error error;

	if (kinds)
		ck_assert_msg(kinds_parse(kinds, &scope.kinds, &error) == 0, "%s", error.message);
	ck_assert_int_eq(maker_write(&maker, path), 0);
	ck_assert_msg(report_add(&report, path, &scope, &error) == 0, "%s", error.message);
	return report.leaks[report.count - 1];
}

static void write_text(const char *kinds)
{
	struct paper paper = {open_memstream(&text, &text_size), false};

	read_kinds(kinds);
	report_write_text(&report, &paper);
	fclose(paper.out);
}

static void write_json(const char *kinds)
{
	FILE *out = open_memstream(&text, &text_size);

	read_kinds(kinds);
	report_write_json(&report, out);
	fclose(out);
	json = json_tokener_parse(text);
	ck_assert_ptr_nonnull(json);
}

static void text_again(void)
{
	report_close(&report);
	free(text);
	text = NULL;
	write_text(NULL);
}

static bool at_fault(const char *kinds)
{
	bool fault;

	read_kinds(kinds);
	fault = report_is_at_fault(&report);
	report_close(&report);
	return fault;
}

static uint32_t balance_new(uint32_t generation, uint32_t kind, uint64_t acquired)
{
	const struct session_balance balance = {
		.generation = generation, .kind = kind, .place = 1, .acquired = acquired};

	return maker_add(&maker, SESSION_BALANCES, &balance);
}

static struct session_balance *balance_of(uint32_t index)
{
	return maker_record(&maker, SESSION_BALANCES, index);
}

static struct json_object *at(const char *pointer)
{
	struct json_object *found = NULL;
	char whole[160];

	snprintf(whole, sizeof(whole), "/sessions/0%s", pointer);
	ck_assert_msg(json_pointer_get(json, whole, &found) == 0, "no %s", whole);
	return found;
}

#define says(words)                                                                                \
	do {                                                                                       \
		if (!strstr(text, words))                                                          \
			fputs(text, stderr);                                                       \
		ck_assert_msg(strstr(text, words) != NULL, "no \"%s\"", words);                    \
	} while (0)
#define says_not(words) ck_assert_msg(!strstr(text, words), "\"%s\"", words)
#define is_text(value, pointer) ck_assert_str_eq(json_object_get_string(at(pointer)), value)
#define is_number(value, pointer) ck_assert_int_eq(json_object_get_int(at(pointer)), value)
#define is_long(count, pointer) ck_assert_uint_eq(json_object_array_length(at(pointer)), count)
#define is_null(pointer) ck_assert_ptr_null(at(pointer))

START_TEST(sums_are_of_all_generations)
{
	struct leaks *leaks = read_kinds(NULL);
	const struct balance_sum *sums = leaks->modules[0].sums;

	ck_assert_uint_eq(sums[SESSION_DESCRIPTOR].acquired.blocks, 9);
	ck_assert_uint_eq(sums[SESSION_DESCRIPTOR].given_back.blocks, 3);
	ck_assert_uint_eq(sums[SESSION_DESCRIPTOR].left.blocks, 6);
	ck_assert_uint_eq(sums[SESSION_DESCRIPTOR].taken_back.blocks, 6);
	ck_assert_uint_eq(sums[SESSION_MAPPING].left.bytes, 12288);
	ck_assert_uint_eq(sums[SESSION_MAPPING].kept.blocks, 3);
	ck_assert_uint_eq(sums[SESSION_STREAM].later.blocks, 1);
	ck_assert_uint_eq(leaks->left[SESSION_STREAM].blocks, 0);
	ck_assert_uint_eq(leaks->left[SESSION_DESCRIPTOR].blocks, 6);
	ck_assert_uint_eq(leaks->behind[SESSION_DESCRIPTOR].blocks, 0);
	ck_assert_uint_eq(leaks->faults.things, 6 + 3 + 3 + 2 + 1 + 1);
	ck_assert_uint_eq(leaks->faults.changes, 3);
}
END_TEST

START_TEST(text_has_a_balance)
{
	report.all = true;
	write_text(NULL);
	says("  generation 1: left no memory\n");
	says("    descriptors:          3 acquired, 1 given back, 2 left,               2 closed "
	     "by relib\n");
	says("    directory streams:    2 acquired, 2 given back\n");
	says("    mappings:             1 acquired,               1 left (4,096 bytes), 1 still "
	     "referred to\n");
	says("    streams:              1 acquired,               1 left, 1 given "
	     "back later\n");
	says("  in all 3 generations:\n"
	     "    descriptors:          9 acquired, 3 given back, 6 left,                6 closed "
	     "by relib\n");
}
END_TEST

/* Not that of each and then the sum again. */
START_TEST(text_has_one_balance_of_a_module)
{
	const char *table;

	write_text(NULL);
	says("  in all 3 generations:\n    descriptors:          9 acquired, ");
	table = strstr(text, "    descriptors: ");
	ck_assert_ptr_null(strstr(table + 1, "    descriptors: "));
}
END_TEST

START_TEST(text_tells_what_was_left)
{
	write_text(NULL);
	says("  left 6 descriptors (2 in each of 3 generations), closed by relib\n"
	     "    descriptor 5: /tmp/log, 3 times, closed\n"
	     "    descriptor 6: tcp 127.0.0.1:80, 3 times, closed\n"
	     "  left 1 shared memory name (in generation 3), not removed\n"
	     "    /sample, not removed: it is another file by now\n"
	     "  left 1 held mutex (in generation 3)\n"
	     "    mutex host+0x4040, held by thread 99\n"
	     "    at 0x1169   plugin.so+0x1169 (file gone)\n");
	says("  left 3 mappings, 12,288 bytes (1 in each of 3 generations), not unmapped\n"
	     "    at 0x7000: /dev/zero, 3 times, kept: host+0x4010\n");
	says("    timer of SIGUSR1, 3 times, deleted\n");
	says("  left 3 environment changes (1 in each of 3 generations)\n    SAMPLE, 3 times\n");
	says("  left 2 child processes (1 in each of 2 generations)\n    sleep 5, 2 times\n");
	/* It was handed over. */
	says_not("left 1 stream");
	says("4 generations unloaded: 6 descriptors (closed), 3 mappings, 1 shared memory name, "
	     "3 timers (deleted), 3 other things left, 3 environment changes\n");
}
END_TEST

START_TEST(text_sums_up_what_is_alike)
{
	uint32_t i, index;

	/* It acquired another number each time, and left the same. */
	for (i = 1; i < 4; i++) {
		index = balance_new(i, SESSION_DESCRIPTOR, 2 + i);
		balance_of(index)->given_back = 1 + i;
	}
	write_text(NULL);
	says("  generations 1-3: each left no memory\n"
	     "    descriptors:  3 to 5 acquired, 2 to 4 given back, 1 left\n");
	says_not("in all");
	says("  growth per reload: 1 descriptor\n");
	says("  left 3 descriptors (1 in each of 3 generations), not closed\n    at ");
}
END_TEST

START_TEST(text_tells_what_is_in_use)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 3);

	generation->state = SESSION_LOADED;
	balance_new(3, SESSION_DESCRIPTOR, 2);
	ck_assert(!at_fault(NULL));
	generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	generation->how = SESSION_WAS_DEFERRED;
	write_text(NULL);
	says("    descriptors:  2 acquired, 2 in use\n");
	says("nothing left");
}
END_TEST

START_TEST(text_counts_more_than_it_shows)
{
	const uint32_t index = balance_new(1, SESSION_DESCRIPTOR, 1000);
	struct session_leftover leftover = {.balance = index, .state = SESSION_LEFT};
	char name[32];

	for (leftover.number = 3; leftover.number < 67; leftover.number++) {
		snprintf(name, sizeof(name), "/tmp/%u", (unsigned int)leftover.number);
		leftover.text = maker_string(&maker, name);
		maker_add(&maker, SESSION_LEFTOVERS, &leftover);
	}
	write_text(NULL);
	says("    descriptor 6: /tmp/6\n    and 996 more\n    at ");
}
END_TEST

START_TEST(text_names_unknown_kinds)
{
	balance_new(1, 60, 1);
	balance_new(1, UINT32_MAX, 1);
	write_text(NULL);
	says("    things:  2 acquired, 2 left\n");
	says("2 things left\n");
}
END_TEST

START_TEST(text_is_short_with_many_generations)
{
	struct session_generation generation = {
		.object = 2, .state = SESSION_UNLOADED, .number = 3};
	uint32_t i, index, lines = 0;
	const char *line;

	/* No two that follow each other are alike. */
	for (i = 0; i < 2000; i++) {
		generation.number++;
		index = maker_add(&maker, SESSION_GENERATIONS, &generation);
		balance_new(index, 1 + i % 20, 1 + i % 7);
		balance_new(index, 1 + i % 19, 1);
		balance_new(index, 1 + i % 17, 1);
	}
	write_text(NULL);
	for (line = text; (line = strchr(line, '\n')); line++)
		lines++;
	ck_assert_uint_lt(lines, 220);
	says("  in all 2,003 generations:\n");
	says("  growth per reload: 0 to 8 descriptors (0.3 on average), ");
}
END_TEST

START_TEST(growth_is_what_stays_behind)
{
	const struct growth *growth;
	uint32_t i;

	for (i = 1; i < 4; i++)
		balance_of(balance_new(i, SESSION_DESCRIPTOR, 3))->taken_back = 1;
	/* The first sets something up once. */
	balance_new(1, SESSION_TIMER, 7);
	balance_new(2, SESSION_UMASK, 1);
	growth = read_kinds(NULL)->modules[0].growth;
	ck_assert_uint_eq(growth->generations, 2);
	ck_assert_uint_eq(growth->kinds[SESSION_DESCRIPTOR].least.blocks, 2);
	ck_assert_uint_eq(growth->kinds[SESSION_DESCRIPTOR].most.blocks, 2);
	ck_assert_uint_eq(growth->kinds[SESSION_TIMER].most.blocks, 0);
	ck_assert_uint_eq(growth->kinds[SESSION_UMASK].most.blocks, 0);
	text_again();
	says("  growth per reload: 2 descriptors\n");
	balance_of(1)->later = balance_of(2)->later = balance_of(3)->later = 2;
	text_again();
	says("  growth per reload: nothing\n");
}
END_TEST

START_TEST(growth_of_memory_and_ranges)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 2);

	generation->leaked_blocks = generation->reclaimed_blocks = 5;
	generation->kept_blocks = 2;
	generation->kept_bytes = 100;
	generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	generation->leaked_blocks = 2;
	generation->leaked_bytes = 100;
	write_text(NULL);
	says("  growth per reload: 2 blocks (100 bytes)\n");
	balance_new(3, SESSION_DESCRIPTOR, 3);
	text_again();
	says("  growth per reload: 0 to 3 descriptors (1.5 on average), 2 blocks (100 bytes)\n");
	generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	generation->state = SESSION_UNLOADED_BLIND;
	text_again();
	says("2 blocks (100 bytes); of memory it is not known\n");
}
END_TEST

START_TEST(growth_goes_over_rebuilds)
{
	uint32_t object = maker_object(&maker, "/nonexistent/plugin.so", SESSION_OBJECT_MODULE);
	struct session_generation generation = {
		.object = object, .state = SESSION_UNLOADED, .number = 4};
	struct leaks *leaks;

	balance_new(maker_add(&maker, SESSION_GENERATIONS, &generation), SESSION_TIMER, 1);
	leaks = read_kinds(NULL);
	ck_assert_uint_eq(leaks->module_count, 3);
	ck_assert_uint_eq(leaks->file_count, 2);
	ck_assert_ptr_eq(leaks->modules[0].growth, leaks->modules[2].growth);
	ck_assert_uint_eq(leaks->modules[0].growth->generations, 3);
	ck_assert(!leaks->modules[0].last_of_path && leaks->modules[2].last_of_path);
}
END_TEST

START_TEST(what_is_a_fault)
{
	uint32_t index = balance_new(1, SESSION_DESCRIPTOR, 2);

	ck_assert(at_fault(NULL));
	ck_assert(at_fault("descriptors"));
	ck_assert(!at_fault("memory,streams"));
	balance_of(index)->taken_back = 2;
	ck_assert(at_fault(NULL));
	balance_of(index)->taken_back = 0;
	balance_of(index)->later = 1;
	ck_assert(at_fault(NULL));
	balance_of(index)->later = 2;
	ck_assert(!at_fault(NULL));
	balance_of(index)->later = 0;
	balance_of(index)->given_back = 2;
	ck_assert(!at_fault(NULL));
}
END_TEST

START_TEST(what_is_no_fault)
{
	static const uint32_t kinds[] = {
		SESSION_ENVIRONMENT, SESSION_LOCALE, SESSION_UMASK, SESSION_WORKING_DIRECTORY};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		balance_new(1, kinds[i], 1);
	ck_assert(!at_fault(NULL));
	write_text(NULL);
	says("nothing left, 4 changes of the process's state\n");
}
END_TEST

START_TEST(kinds_limit_text)
{
	write_text("descriptors,mutex");
	says("  generations 1-3: each unloaded\n  in all 3 generations:\n"
	     "    descriptors:   9 acquired, 3 given back, 6 left, 6 closed by relib\n");
	says("    mutex host+0x4040, held by thread 99\n");
	says_not("mapping");
	says_not("memory");
	says_not("libhelper");
	says_not("note:");
	says("4 generations unloaded: 6 descriptors (closed), 1 held mutex left\n");
}
END_TEST

START_TEST(kinds_have_names_and_groups)
{
	struct error error;
	kind_set set;

	ck_assert_int_eq(kinds_parse("streams", &set, &error), 0);
	ck_assert_uint_eq(set, (kind_set)1 << SESSION_STREAM | (kind_set)1 << SESSION_DIRECTORY);
	ck_assert_int_eq(kinds_parse("stream,memory", &set, &error), 0);
	ck_assert_uint_eq(set, (kind_set)1 << SESSION_STREAM | (kind_set)1 << KIND_MEMORY);
	ck_assert_int_eq(kinds_parse("descriptors,", &set, &error), -1);
	ck_assert_int_eq(kinds_parse("", &set, &error), -1);
	ck_assert_int_eq(kinds_parse("unknown", &set, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "'unknown' is none of descriptors, streams, "));
	ck_assert_ptr_nonnull(strstr(error.message, ", thread-local, key"));
	ck_assert_ptr_null(strchr(error.message, '\n'));
}
END_TEST

START_TEST(json_tells_it)
{
	write_json(NULL);
	is_text("close", "/fds_policy");
	is_text("remove", "/names_policy");
	is_long(5, "/modules/0/generations/0/balances");
	is_text("descriptor", "/modules/0/generations/0/balances/0/kind");
	is_number(3, "/modules/0/generations/0/balances/0/acquired/count");
	is_number(1, "/modules/0/generations/0/balances/0/given_back/count");
	is_number(2, "/modules/0/generations/0/balances/0/left/count");
	is_number(2, "/modules/0/generations/0/balances/0/taken_back/count");
	is_number(1, "/modules/0/generations/0/balances/0/place");
	is_number(4096, "/modules/0/generations/0/balances/2/left/bytes");
	is_text("taken-back", "/modules/0/generations/0/leftovers/0/state");
	is_text("/tmp/log", "/modules/0/generations/0/leftovers/0/text");
	is_number(5, "/modules/0/generations/0/leftovers/0/number");
	is_null("/modules/0/generations/0/leftovers/0/root");
	is_text("kept", "/modules/0/generations/0/leftovers/2/state");
	is_text("host+0x4010", "/modules/0/generations/0/leftovers/2/root/text");
	is_text("mutex", "/modules/0/generations/2/leftovers/7/kind");
	is_text("left", "/modules/0/generations/2/leftovers/7/state");
	is_text("host+0x4040", "/modules/0/generations/2/leftovers/7/root/text");
	is_text("it is another file by now", "/modules/0/generations/2/leftovers/8/why");
	is_number(1, "/modules/0/places/1/id");
	is_long(2, "/modules/0/places/1/stack");
	is_text("descriptor", "/modules/0/resources/0/kind");
	is_number(9, "/modules/0/resources/0/acquired/count");
	is_number(2, "/modules/0/growth/generations");
	is_text("mapping", "/modules/0/growth/kinds/0/kind");
	is_number(4096, "/modules/0/growth/kinds/0/least/bytes");
	is_number(8192, "/modules/0/growth/kinds/0/total/bytes");
	is_null("/modules/1/growth");
	is_number(16, "/totals/things_left");
	is_number(3, "/totals/changes_left");
	is_text("descriptor", "/totals/left/0/kind");
	is_number(6, "/totals/left/0/left/count");
	is_number(0, "/totals/left/0/behind/count");
}
END_TEST

START_TEST(kinds_limit_json)
{
	write_json("names");
	is_long(0, "/modules/0/generations/0/balances");
	is_long(1, "/modules/0/generations/2/balances");
	is_long(1, "/modules/0/generations/2/leftovers");
	is_text("shm-name", "/modules/0/resources/0/kind");
	is_long(1, "/modules/0/resources");
	is_long(1, "/modules/0/growth/kinds");
	is_long(1, "/modules/0/places");
	is_number(1, "/totals/things_left");
}
END_TEST

START_TEST(diff_finds_things)
{
	struct json_object *object, *found;
	struct paper paper;
	struct diff *diff;

	read_kinds(NULL);
	balance_of(1)->acquired++;
	/* of generation 3: of its environment, which is no fault */
	balance_new(3, SESSION_ENVIRONMENT, 1);
	read_kinds(NULL);
	diff = diff_open(report.leaks[0], report.leaks[1]);
	ck_assert(diff_has_growth(diff));
	paper = (struct paper){open_memstream(&text, &text_size), false};
	diff_write_text(diff, false, &paper);
	fclose(paper.out);
	says("plugin.so\n  left +1 descriptor  (from 6 descriptors to 7)\n    at 0x1169 ");
	says("; left +1 descriptor, +1 environment change\n");
	free(text);
	paper.out = open_memstream(&text, &text_size);
	diff_write_json(diff, false, paper.out);
	fclose(paper.out);
	object = json_tokener_parse(text);
	ck_assert_int_eq(json_pointer_get(object, "/left/0/growth/count", &found), 0);
	ck_assert_int_eq(json_object_get_int(found), 1);
	ck_assert_int_eq(json_pointer_get(object, "/reloads", &found), 0);
	ck_assert_uint_eq(json_object_array_length(found), 0);
	json_object_put(object);
	diff_close(diff);
	diff = diff_open(report.leaks[1], report.leaks[0]);
	ck_assert(!diff_has_growth(diff) && !diff_is_empty(diff));
	diff_close(diff);
	balance_of(1)->acquired--;
	read_kinds(NULL);
	diff = diff_open(report.leaks[0], report.leaks[2]);
	ck_assert(!diff_has_growth(diff) && !diff_is_empty(diff));
	diff_close(diff);
}
END_TEST

START_TEST(diff_compares_growth)
{
	struct paper paper;
	struct diff *diff;

	read_kinds(NULL);
	balance_new(2, SESSION_CHILD, 2);
	read_kinds(NULL);
	diff = diff_open(report.leaks[0], report.leaks[1]);
	paper = (struct paper){open_memstream(&text, &text_size), false};
	diff_write_text(diff, false, &paper);
	fclose(paper.out);
	says("plugin.so: growth per reload from 1 to 2 child processes\n");
	diff_close(diff);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli-resources");

#define sample_test(name) suite_add(suite, #name, name, setup_sample, teardown)
#define bare_test(name) suite_add(suite, #name, name, setup, teardown)
	sample_test(sums_are_of_all_generations);
	sample_test(text_has_a_balance);
	sample_test(text_has_one_balance_of_a_module);
	sample_test(text_tells_what_was_left);
	bare_test(text_sums_up_what_is_alike);
	bare_test(text_tells_what_is_in_use);
	bare_test(text_counts_more_than_it_shows);
	bare_test(text_names_unknown_kinds);
	bare_test(text_is_short_with_many_generations);
	bare_test(growth_is_what_stays_behind);
	bare_test(growth_of_memory_and_ranges);
	bare_test(growth_goes_over_rebuilds);
	bare_test(what_is_a_fault);
	bare_test(what_is_no_fault);
	sample_test(kinds_limit_text);
	bare_test(kinds_have_names_and_groups);
	sample_test(json_tells_it);
	sample_test(kinds_limit_json);
	sample_test(diff_finds_things);
	sample_test(diff_compares_growth);
	return suite_run(suite);
}
