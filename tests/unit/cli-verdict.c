/* SPDX-License-Identifier: MIT */
/* The verdict of relib test: causes are counted over generations, and written without damage. */
#include "cli/junit.h"
#include "cli/tap.h"
#include "cli/trend.h"
#include "cli/verdict.h"
#include "tests/unit/session-maker.h"
#include "tests/unit/suite.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct session_maker maker;
static char path[] = "/tmp/relib-verdict-XXXXXX";
static struct report report;
static struct test_verdict verdict;
static struct plugin_verdict *plugin;
static struct text_list allow;
static char *text;
static size_t text_size;

static void setup(void)
{
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
	plugin = verdict_add(&verdict, "/nonexistent/plugin.so", 3);
	allow = (struct text_list){0};
}

static void teardown(void)
{
	report_close(&report);
	maker_end(&maker);
	verdict_free(&verdict);
	unlink(path);
	free(allow.text);
	free(text);
	text = NULL;
}

static void judge(void)
{
	struct error error;

	ck_assert_int_eq(maker_write(&maker, path), 0);
	ck_assert_msg(report_add(&report, path, NULL, &error) == 0, "%s", error.message);
	plugin_judge_sessions(plugin, &report);
	plugin_finish(plugin, &allow);
}

static const struct cause *cause_of(const char *kind)
{
	size_t i;

	for (i = 0; i < plugin->cause_count; i++)
		if (strcmp(plugin->causes[i]->kind->name, kind) == 0)
			return plugin->causes[i];
	return NULL;
}

#define says(kind, words)                                                                          \
	do {                                                                                       \
		ck_assert_msg(cause_of(kind) != NULL, "no cause " kind);                           \
		ck_assert_str_eq(cause_of(kind)->text, words);                                     \
	} while (0)

/* Of generation @number: what was acquired, given back, and given back later. */
static uint32_t add_balance(uint32_t number, uint32_t kind, int acquired, int given_back, int later)
{
	struct session_balance balance = {
		.generation = number,
		.kind = kind,
		.place = 1,
		.acquired = acquired,
		.given_back = given_back,
		.later = later,
	};

	return maker_add(&maker, SESSION_BALANCES, &balance);
}

static void unload_all(void)
{
	struct session_generation *generation;
	uint32_t i;

	for (i = 1; i < maker_header(&maker)->table[SESSION_GENERATIONS].record_count; i++) {
		generation = maker_record(&maker, SESSION_GENERATIONS, i);
		generation->state = SESSION_UNLOADED;
	}
}

START_TEST(counts_what_is_left_per_cycle)
{
	uint32_t i;

	unload_all();
	for (i = 1; i <= 3; i++)
		add_balance(i, SESSION_DESCRIPTOR, 5, 2, 1);
	judge();
	says("descriptor", "left 2 descriptors per cycle: plugin.so+0x1169 (file gone)");
	ck_assert_uint_eq(cause_of("descriptor")->count_count, 3);
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_RESOURCES), CHECK_FAILED);
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_THREADS), CHECK_PASSED);
	ck_assert(!plugin_is_good(plugin));
	ck_assert_uint_eq(plugin->loads, 3);
}
END_TEST

START_TEST(what_was_handed_over_is_no_cause)
{
	unload_all();
	add_balance(1, SESSION_DESCRIPTOR, 3, 1, 2);
	judge();
	ck_assert_ptr_null(cause_of("descriptor"));
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_RESOURCES), CHECK_PASSED);
}
END_TEST

START_TEST(what_is_in_use_is_no_cause)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 3);

	generation->state = SESSION_LOADED;
	generation->closing = SESSION_OPEN;
	add_balance(3, SESSION_DESCRIPTOR, 3, 0, 0);
	judge();
	ck_assert_ptr_null(cause_of("descriptor"));
}
END_TEST

START_TEST(one_cycle_is_told_as_such)
{
	unload_all();
	add_balance(2, SESSION_STREAM, 1, 0, 0);
	add_balance(1, SESSION_CHILD, 1, 0, 0);
	add_balance(3, SESSION_CHILD, 1, 0, 0);
	add_balance(1, SESSION_TIMER, 1, 0, 0);
	add_balance(2, SESSION_TIMER, 2, 0, 0);
	judge();
	says("stream", "left 1 stream once, in cycle 2: plugin.so+0x1169 (file gone)");
	says("child",
		"left 1 child process in each of 2 of 3 cycles: plugin.so+0x1169 (file gone)");
	says("timer", "left 3 timers in 2 of 3 cycles: plugin.so+0x1169 (file gone)");
}
END_TEST

START_TEST(names_what_was_left)
{
	struct session_leftover leftover = {.state = SESSION_LEFT, .number = 7};

	unload_all();
	leftover.balance = add_balance(1, SESSION_DESCRIPTOR, 1, 0, 0);
	leftover.text = maker_string(&maker, "/tmp/log");
	((struct session_balance *)maker_record(&maker, SESSION_BALANCES, leftover.balance))
		->leftovers = 1;
	maker_add(&maker, SESSION_LEFTOVERS, &leftover);
	judge();
	says("descriptor",
		"left 1 descriptor once, in cycle 1: plugin.so+0x1169 (file gone), /tmp/log");
}
END_TEST

START_TEST(changes_of_the_process_are_shown_only)
{
	unload_all();
	add_balance(1, SESSION_UMASK, 1, 0, 0);
	judge();
	ck_assert(cause_of("umask")->allowed);
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_RESOURCES), CHECK_PASSED);
}
END_TEST

START_TEST(tells_a_hook_once)
{
	maker_sample_unloading(&maker);
	unload_all();
	add_balance(1, SESSION_SIGNAL_HANDLER, 1, 0, 0);
	add_balance(2, SESSION_SIGNAL_HANDLER, 1, 0, 0);
	judge();
	ck_assert_ptr_nonnull(cause_of("signal-handler"));
	for (size_t i = 0; i < plugin->cause_count; i++)
		if (strcmp(plugin->causes[i]->kind->name, "hook") == 0)
			ck_assert_ptr_null(strstr(plugin->causes[i]->text, "SIGUSR1"));
}
END_TEST

START_TEST(finds_all_that_is_about_unloading)
{
	static const char *const kinds[] = {"leaked", "kept", "deferred", "thread", "timeout",
		"late-call", "dangling", "hook", "late-free"};
	size_t i;

	maker_sample_unloading(&maker);
	judge();
	for (i = 0; i < COUNT(kinds); i++)
		ck_assert_msg(cause_of(kinds[i]) != NULL, "no cause %s", kinds[i]);
	for (i = 0; i < plugin->cause_count; i++)
		ck_assert_ptr_null(strstr(plugin->causes[i]->text, "stack of thread"));
}
END_TEST

START_TEST(kinds_and_checks_can_be_allowed)
{
	unload_all();
	add_balance(1, SESSION_DESCRIPTOR, 1, 0, 0);
	text_list_add(&allow, "descriptor");
	text_list_add(&allow, "memory");
	judge();
	ck_assert(cause_of("descriptor")->allowed);
	ck_assert(cause_of("leaked")->allowed);
	ck_assert(!cause_of("kept")->allowed);
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_RESOURCES), CHECK_PASSED);
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_KEPT), CHECK_FAILED);
	ck_assert(cause_kind_is_known("mapping") && cause_kind_is_known("growth"));
	ck_assert(!cause_kind_is_known("") && !cause_kind_is_known("nonsense"));
}
END_TEST

START_TEST(a_failure_wins_over_a_skip)
{
	plugin_skip(plugin, CHECK_GROWTH, "first");
	plugin_skip(plugin, CHECK_GROWTH, "second");
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_GROWTH), CHECK_SKIPPED);
	ck_assert_str_eq(plugin->skipped[CHECK_GROWTH], "first");
	plugin_cause(plugin, "growth-threads", NULL, "");
	ck_assert_int_eq(plugin_check_result(plugin, CHECK_GROWTH), CHECK_FAILED);
}
END_TEST

START_TEST(tells_where_a_host_crashed)
{
	struct host_record record = {.stage = HOST_CALLING, .cycle = 3};

	plugin_judge_host(plugin, &record, SIGSEGV);
	plugin_finish(plugin, &allow);
	says("crashed", "crashed: SIGSEGV, in cycle 3, in its entry");
}
END_TEST

START_TEST(an_entry_must_return_0)
{
	struct host_record record = {
		.stage = HOST_ENDED, .cycle = 5, .bad_returns = 1, .bad_cycle = 2, .bad_status = 9};

	plugin_judge_host(plugin, &record, 0);
	plugin_finish(plugin, &allow);
	says("entry-failed", "the entry failed: it returned 9 in cycle 2");
	ck_assert_uint_eq(plugin->cause_count, 1);
}
END_TEST

START_TEST(tells_growth_from_having_grown)
{
	static const struct {
		int64_t value[8];
		size_t count;
		bool grows;
		int64_t by;
	} series[] = {
		{{3, 4, 5, 6, 7}, 5, true, 4},
		{{3, 3, 3, 3, 3}, 5, false, 0},
		{{3, 3, 4, 4, 4}, 5, false, 0}, /* once */
		{{3, 9, 3, 9, 3}, 5, false, 0}, /* and back */
		{{3, 3, 3, 3, 9}, 5, false, 0}, /* a peak at the end */
		{{9, 3, 4, 4, 5}, 5, true, 2},	/* less at first */
		{{3, 4, 9, 5, 6}, 5, true, 3},	/* with a peak */
		{{3, 3, 4, 4, 5, 5, 6}, 7, true, 3},
		{{3, 4}, 2, false, 0},
		{{-1, 4, 5, 6}, 4, false, 0},
		{{3, 4, 5, -1}, 4, false, 0},
	};
	int64_t by;
	size_t i;

	for (i = 0; i < COUNT(series); i++) {
		by = 0;
		ck_assert_msg(
			series_grows(series[i].value, series[i].count, &by) == series[i].grows,
			"series %zu", i);
		if (series[i].grows)
			ck_assert_int_eq(by, series[i].by);
	}
}
END_TEST

START_TEST(small_growth_of_memory_is_none)
{
	struct host_record record = {.stage = HOST_ENDED, .cycle = 10, .measured = 6};
	size_t i;

	for (i = 0; i < record.measured; i++)
		record.measurement[i] = (struct measurement){
			.cycle = 5 + i, .resident = 100000 + 4096 * i, .descriptors = 3 + i};
	plugin_judge_growth(plugin, &record);
	plugin_finish(plugin, &allow);
	ck_assert_uint_eq(plugin->cause_count, 1);
	says("growth-descriptors", "the process grows: 1 descriptor per cycle");
}
END_TEST

START_TEST(escapes_tap)
{
	char *got;

	got = tap_text("a # b\\c\nd");
	ck_assert_str_eq(got, "a \\# b\\\\c?d");
	free(got);
	got = yaml_text("say \"x\"\\\n\xff");
	ck_assert_str_eq(got, "\"say \\\"x\\\"\\\\\\x0a\xef\xbf\xbd\"");
	free(got);
}
END_TEST

START_TEST(escapes_xml)
{
	char *got;

	got = xml_text("<a & \"b\">\n\t\x01\xff\xef\xbf\xbf"
		       "\xc3\xa4");
	ck_assert_str_eq(got, "&lt;a &amp; &quot;b&quot;&gt;&#10;&#9;"
			      "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
			      "\xc3\xa4");
	free(got);
}
END_TEST

START_TEST(writes_a_verdict_without_damage)
{
	FILE *out;

	verdict.plugins[0]->path = "a<b>#.so";
	cause_detail(plugin_cause(plugin, "crashed", NULL, ""), strdup("<&\"\x02"));
	plugin_finish(plugin, &allow);
	out = open_memstream(&text, &text_size);
	verdict_write_junit(&verdict, out);
	verdict_write_tap(&verdict, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "<testsuite name=\"a&lt;b&gt;#.so\" tests=\"10\" "
					   "failures=\"1\""));
	ck_assert_ptr_nonnull(
		strstr(text, "message=\"crashed: &lt;&amp;&quot;\xef\xbf\xbd\">crashed: &lt;"));
	ck_assert_ptr_nonnull(strstr(text, "\nnot ok 2 - a<b>\\#.so: runs\n"));
	ck_assert_ptr_nonnull(strstr(text, "message: \"crashed: <&\\\"\\x02\"\n"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("verdict");
#define CASE(name) suite_add(suite, #name, name, setup, teardown)
	CASE(counts_what_is_left_per_cycle);
	CASE(what_was_handed_over_is_no_cause);
	CASE(what_is_in_use_is_no_cause);
	CASE(one_cycle_is_told_as_such);
	CASE(names_what_was_left);
	CASE(changes_of_the_process_are_shown_only);
	CASE(tells_a_hook_once);
	CASE(finds_all_that_is_about_unloading);
	CASE(kinds_and_checks_can_be_allowed);
	CASE(a_failure_wins_over_a_skip);
	CASE(tells_where_a_host_crashed);
	CASE(an_entry_must_return_0);
	CASE(tells_growth_from_having_grown);
	CASE(small_growth_of_memory_is_none);
	CASE(escapes_tap);
	CASE(escapes_xml);
	CASE(writes_a_verdict_without_damage);
	return suite_run(suite);
}
