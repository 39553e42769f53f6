/* SPDX-License-Identifier: MIT */
/* Each record of what unloading is about is told in text and in JSON, and is a fault or is none. */
#include "cli/dangling.h"
#include "cli/leaks-report.h"
#include "tests/unit/session-maker.h"
#include "tests/unit/suite.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct session_maker maker;
static char path[] = "/tmp/relib-unloading-XXXXXX";
static struct report report;
static char *text;
static size_t text_size;
static struct json_object *json;

static void setup(void)
{
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	close(mkstemp(path));
	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
}

static void setup_unloading(void)
{
	setup();
	maker_sample_unloading(&maker);
}

/* Nothing leaked and nothing kept: a session without any fault. */
static void setup_calm(void)
{
	struct session_place *place;
	uint32_t i;

	setup();
	for (i = 1; i < 3; i++) {
		place = maker_record(&maker, SESSION_PLACES, i);
		place->leaked_blocks = place->reclaimed_blocks = place->kept_blocks = 0;
		place->leaked_bytes = place->reclaimed_bytes = place->kept_bytes = 0;
	}
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

static void read_report(void)
{
	struct error error;

	ck_assert_int_eq(maker_write(&maker, path), 0);
	ck_assert_msg(report_add(&report, path, NULL, &error) == 0, "%s", error.message);
}

static void write_text(void)
{
	struct paper paper = {open_memstream(&text, &text_size), false};

	read_report();
	report_write_text(&report, &paper);
	fclose(paper.out);
}

static void write_json(void)
{
	FILE *out = open_memstream(&text, &text_size);

	read_report();
	report_write_json(&report, out);
	fclose(out);
	json = json_tokener_parse(text);
	ck_assert_ptr_nonnull(json);
}

static struct json_object *at(const char *format, ...)
{
	struct json_object *found = NULL;
	char pointer[128] = "/sessions/0";
	va_list args;

	va_start(args, format);
	vsnprintf(pointer + strlen(pointer), sizeof(pointer) - strlen(pointer), format, args);
	va_end(args);
	ck_assert_msg(json_pointer_get(json, pointer, &found) == 0, "no %s", pointer);
	return found;
}

/* The whole text is too long for a message of Check. */
#define says(words)                                                                                \
	do {                                                                                       \
		if (!strstr(text, words))                                                          \
			fputs(text, stderr);                                                       \
		ck_assert_msg(strstr(text, words) != NULL, "no \"%s\"", words);                    \
	} while (0)
#define is_text(value, ...) ck_assert_str_eq(json_object_get_string(at(__VA_ARGS__)), value)
#define is_number(value, ...) ck_assert_int_eq(json_object_get_int(at(__VA_ARGS__)), value)
#define is_true(...) ck_assert(json_object_get_boolean(at(__VA_ARGS__)))
#define is_false(...) ck_assert(!json_object_get_boolean(at(__VA_ARGS__)))
#define is_null(...) ck_assert_ptr_null(at(__VA_ARGS__))
#define is_long(count, ...) ck_assert_uint_eq(json_object_array_length(at(__VA_ARGS__)), count)

#define GENERATION "/modules/0/generations/%d"

START_TEST(json_tells_how_it_closed)
{
	write_json();
	is_null(GENERATION "/closing", 0);
	is_text("deferred", GENERATION "/closing", 2);
	is_number(3, GENERATION "/opens", 2);
	is_number(2, GENERATION "/closes", 2);
	is_number(2, GENERATION "/deferrals", 2);
	is_number(0, GENERATION "/refusals", 2);
	is_number(1, GENERATION "/revivals", 2);
	is_true(GENERATION "/finalized_early", 0);
	is_true(GENERATION "/guarded", 0);
	is_true(GENERATION "/timed_out", 2);
	is_number(2, GENERATION "/thread_locals/run", 0);
	is_number(1, GENERATION "/thread_locals/dropped", 0);
	is_number(1, GENERATION "/keys/deleted", 0);
	is_number(1, GENERATION "/keys/destructors_run", 0);
	is_number(6, GENERATION "/taken_back", 0);
	is_text("defer", "/threads_policy");
	is_text("free", "/leaks_policy");
	is_number(10000, "/unload_timeout_ms");
}
END_TEST

START_TEST(json_tells_why_it_stays)
{
	static const char *const kinds[] = {"nodelete-file", "nodelete-open", "unique-symbol",
		"open", "opened-from", "needed", "bound", "thread-locals", "thread", "thread",
		"timeout", "unknown"};
	int i;

	write_json();
	is_long(12, GENERATION "/stays", 2);
	is_long(0, GENERATION "/stays", 0);
	for (i = 0; i < 12; i++) {
		is_text(kinds[i], GENERATION "/stays/%d/kind", 2, i);
		ck_assert_int_eq(
			json_object_get_boolean(at(GENERATION "/stays/%d/current", 2, i)), i < 11);
	}
	is_text("_ZN5stats5countE", GENERATION "/stays/2/symbol", 2);
	is_text("/nonexistent/bin/host", GENERATION "/stays/2/object", 2);
	is_number(2, GENERATION "/stays/3/count", 2);
	is_long(2, GENERATION "/stays/4/stack", 2);
	is_text("/nonexistent/libhelper.so", GENERATION "/stays/5/object", 2);
	is_text("libhelper.so has bound its symbol plugin_init", GENERATION "/stays/6/text", 2);
	is_null(GENERATION "/stays/7/thread", 2);
	is_number(4322, GENERATION "/stays/8/thread", 2);
}
END_TEST

START_TEST(json_tells_of_threads)
{
	write_json();
	is_number(10, "/modules/0/threads/started");
	is_number(1, "/modules/0/places/0/threads/running");
	is_long(2, GENERATION "/threads", 2);
	is_number(4322, GENERATION "/threads/0/tid", 2);
	is_text("worker", GENERATION "/threads/0/name", 2);
	is_true(GENERATION "/threads/0/own", 2);
	is_true(GENERATION "/threads/0/waited_for", 2);
	is_number(3, GENERATION "/threads/0/owner/number", 2);
	is_text("0x1400", GENERATION "/threads/0/start_routine/offset", 2);
	is_long(2, GENERATION "/threads/0/created", 2);
	is_long(3, GENERATION "/threads/0/stack", 2);
	is_null(GENERATION "/threads/0/module_frame", 2);
	is_false(GENERATION "/threads/1/own", 2);
	is_null(GENERATION "/threads/1/owner", 2);
	is_null(GENERATION "/threads/1/start_routine", 2);
	is_long(0, GENERATION "/threads/1/created", 2);
	is_number(1, GENERATION "/threads/1/module_frame", 2);
}
END_TEST

START_TEST(json_tells_what_dangles)
{
	static const char *const kinds[] = {"memory", "memory", "memory", "signal", "timer",
		"on-exit", "quick-exit", "environ", "buffer", "openlog", "memory"};
	int i;

	write_json();
	is_long(11, GENERATION "/dangling", 0);
	for (i = 0; i < 11; i++) {
		is_text(kinds[i], GENERATION "/dangling/%d/kind", 0, i);
		is_text("plugin.so+0x1500 (file gone)", GENERATION "/dangling/%d/target", 0, i);
		ck_assert_int_eq(
			json_object_get_boolean(at(GENERATION "/dangling/%d/taken_back", 0, i)),
			i >= 3 && i < 9);
		ck_assert_int_eq(
			json_object_get_boolean(at(GENERATION "/dangling/%d/maybe_stale", 0, i)),
			i == 10);
	}
	is_text("global", GENERATION "/dangling/0/root/kind", 0);
	is_number(3, GENERATION "/dangling/1/count", 0);
	is_text("SIGUSR1", GENERATION "/dangling/3/signal", 0);
	is_long(2, GENERATION "/dangling/3/set", 0);
	is_text("FOO=bar", GENERATION "/dangling/7/detail", 0);
	is_text("stdout buffer", GENERATION "/dangling/8/holder", 0);
	is_text("stack of thread 99", GENERATION "/dangling/10/holder", 0);
	is_number(8, "/totals/dangling");
}
END_TEST

START_TEST(json_tells_late_calls_and_timeouts)
{
	write_json();
	is_long(1, GENERATION "/late_calls", 0);
	is_number(2, GENERATION "/late_calls/0/count", 0);
	is_text("0x1500", GENERATION "/late_calls/0/called/offset", 0);
	is_null(GENERATION "/late_calls/0/caller", 0);
	is_long(2, GENERATION "/late_calls/0/stack", 0);
	is_number(4321, GENERATION "/late_calls/0/thread", 0);
	is_long(2, GENERATION "/timeouts", 2);
	is_number(4322, GENERATION "/timeouts/1/thread", 2);
	is_number(1, "/totals/not_unloaded");
	is_number(1, "/totals/threads_left");
	is_number(2, "/totals/late_calls");
	is_number(1, "/totals/timeouts");
	is_text("late-free", "/notes/0/kind");
	is_text("0x1234", "/notes/0/caller/offset");
	is_null("/notes/0/generation");
}
END_TEST

START_TEST(text_says_how_it_closed)
{
	static const struct {
		unsigned int closing;
		const char *words;
	} cases[] = {
		{SESSION_OPEN, "generation 3: still loaded;"},
		{SESSION_STAYED, "generation 3: still loaded after dlclose;"},
		{SESSION_REFUSED, "generation 3: still loaded, dlclose was refused;"},
		{SESSION_ABANDONED,
			"generation 3: still loaded for good, its unload was abandoned;"},
	};
	struct session_generation *generation;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		generation = maker_record(&maker, SESSION_GENERATIONS, 3);
		generation->closing = cases[i].closing;
		write_text();
		says(cases[i].words);
		says(cases[i].closing == SESSION_REFUSED ? "    refused: thread 4322 (worker)"
							 : "    deferred: thread 4322 (worker)");
		report_close(&report);
		free(text);
		text = NULL;
	}
}
END_TEST

START_TEST(text_leaves_out_what_is_true_no_more)
{
	struct session_stay *stay = maker_record(&maker, SESSION_STAYS, 1);
	struct session_thread *thread = maker_record(&maker, SESSION_THREADS, 1);

	stay->current = 0;
	thread->state = SESSION_THREAD_FREE;
	write_text();
	ck_assert_ptr_null(strstr(text, "-z nodelete"));
	ck_assert_ptr_null(strstr(text, "does not see why"));
	ck_assert_ptr_null(strstr(text, "thread 4322 (worker) stands"));
	says("deferred: for a thread that is over by now");
}
END_TEST

START_TEST(text_limits_what_there_is_much_of)
{
	struct session_dangling dangling = {.generation = 1,
		.kind = SESSION_DANGLING_MEMORY,
		.count = 1,
		.root = {.kind = SESSION_ROOT_HEAP}};
	int i;

	for (i = 0; i < 100; i++) {
		dangling.root.address = 0x100000 + 16 * i;
		maker_add(&maker, SESSION_DANGLINGS, &dangling);
	}
	write_text();
	says("    106 in heap memory, for instance a block of the host's heap at 0x5500 -> "
	     "plugin.so+0x1500 (file gone) (--all shows each)\n");
	ck_assert_ptr_null(strstr(text, "0x100000"));
	says("    host+0x4040 -> ");
	says("108 dangling pointers\n");
	free(text);
	report_close(&report);
	report.all = true;
	write_text();
	says("a block of the host's heap at 0x100630 -> ");
	ck_assert_ptr_null(strstr(text, "for instance"));
}
END_TEST

/* Hosts with memory pools have thousands: nothing else is said of such modules. */
START_TEST(text_gathers_what_only_the_heap_points_to)
{
	struct session_object object =
		*(struct session_object *)maker_record(&maker, SESSION_OBJECTS, 2);
	struct session_generation generation = {.number = 1, .state = SESSION_UNLOADED};
	struct session_dangling dangling = {.kind = SESSION_DANGLING_MEMORY,
		.count = 7,
		.root = {.kind = SESSION_ROOT_HEAP, .address = 0x9000}};
	char name[32];
	int i;

	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "/nonexistent/pool-%d.so", i);
		object.path = maker_string(&maker, name);
		generation.object = maker_add(&maker, SESSION_OBJECTS, &object);
		dangling.generation = maker_add(&maker, SESSION_GENERATIONS, &generation);
		maker_add(&maker, SESSION_DANGLINGS, &dangling);
	}
	write_text();
	says("\nwarning: left nothing, but heap memory of the host points into what was unmapped: "
	     "5 modules, each with how many pointers\n  pool-0.so 7, pool-1.so 7, ");
	ck_assert_ptr_null(strstr(text, "/nonexistent/pool-1.so"));
	/* What was left comes first. */
	ck_assert(strstr(text, "/nonexistent/plugin.so") < strstr(text, "pool-0.so"));
}
END_TEST

START_TEST(signals_have_names)
{
	static const struct {
		int number;
		const char *name;
	} cases[] = {{SIGHUP, "SIGHUP"}, {SIGSYS, "SIGSYS"}, {0, "signal 0"}, {999, "signal 999"}};
	char *name;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		name = signal_text(cases[i].number);
		ck_assert_str_eq(name, cases[i].name);
		free(name);
	}
	name = signal_text(SIGRTMIN + 3);
	ck_assert_str_eq(name, "SIGRTMIN+3");
	free(name);
}
END_TEST

static bool at_fault(void)
{
	bool fault;

	read_report();
	fault = report_is_at_fault(&report);
	report_close(&report);
	return fault;
}

START_TEST(what_is_no_fault)
{
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	struct session_dangling dangling = {.generation = 1, .kind = SESSION_DANGLING_OPENLOG};
	struct session_thread thread = {.state = SESSION_THREAD_RUNNING, .generation = 3};

	ck_assert(!at_fault());
	maker_add(&maker, SESSION_DANGLINGS, &dangling);
	ck_assert(!at_fault());
	/* Nobody closed it: it may run threads. */
	generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	generation->state = SESSION_LOADED;
	generation->closing = SESSION_OPEN;
	generation->how = SESSION_WAS_DEFERRED | SESSION_REVIVED;
	maker_add(&maker, SESSION_THREADS, &thread);
	ck_assert(!at_fault());
	/* It was refused once, and went in the end. */
	generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	generation->state = SESSION_UNLOADED;
	generation->closing = SESSION_REFUSED;
	((struct session_thread *)maker_record(&maker, SESSION_THREADS, 1))->state =
		SESSION_THREAD_FREE;
	ck_assert(!at_fault());
}
END_TEST

START_TEST(what_is_a_fault)
{
	const struct session_note late = {
		.kind = SESSION_NOTE_LATE_CALL, .generation = 1, .count = 1};
	const struct session_thread thread = {
		.state = SESSION_THREAD_RUNNING, .generation = 1, .tid = 5};
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 3);
	struct session_generation saved = *generation;
	unsigned int closing;

	for (closing = SESSION_STAYED; closing <= SESSION_ABANDONED; closing++) {
		generation->state = SESSION_LOADED;
		generation->closing = closing;
		ck_assert(at_fault());
	}
	*generation = saved;
	generation->how = SESSION_TIMED_OUT;
	ck_assert(at_fault());
	*generation = saved;
	ck_assert(!at_fault());
	maker_add(&maker, SESSION_THREADS, &thread);
	ck_assert(at_fault());
	((struct session_thread *)maker_record(&maker, SESSION_THREADS, 1))->state =
		SESSION_THREAD_FREE;
	ck_assert(!at_fault());
	maker_add(&maker, SESSION_NOTES, &late);
	ck_assert(at_fault());
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli-unloading");

#define unloading_test(name) suite_add(suite, #name, name, setup_unloading, teardown)
	unloading_test(json_tells_how_it_closed);
	unloading_test(json_tells_why_it_stays);
	unloading_test(json_tells_of_threads);
	unloading_test(json_tells_what_dangles);
	unloading_test(json_tells_late_calls_and_timeouts);
	unloading_test(text_says_how_it_closed);
	unloading_test(text_leaves_out_what_is_true_no_more);
	unloading_test(text_limits_what_there_is_much_of);
	unloading_test(text_gathers_what_only_the_heap_points_to);
	unloading_test(signals_have_names);
	suite_add(suite, "what_is_no_fault", what_is_no_fault, setup_calm, teardown);
	suite_add(suite, "what_is_a_fault", what_is_a_fault, setup_calm, teardown);
	return suite_run(suite);
}
