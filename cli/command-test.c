/* SPDX-License-Identifier: MIT */
#include "cli/child.h"
#include "cli/command.h"
#include "cli/host-run.h"
#include "cli/program.h"
#include "cli/test-options.h"
#include "cli/verdict.h"
#include "elf/memory.h"
#include "elf/plugin-file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_BAD 1 /* a plugin failed */

/* One plugin and its run. */
struct trial {
	const struct test_options *o;
	struct plugin_verdict *plugin;
	struct host_run host;
	struct host_record *record; /* NULL: the host keeps none */
	char *record_path;
	uint64_t started; /* CLOCK_MONOTONIC, ns */
	bool timed_out;
	int wait_status;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- the built-in host's record ------------------------------------------------ */

static int record_make(struct trial *trial, struct error *error)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	trial->record_path =
		text_format("%s/relib-test.XXXXXX", folder && *folder ? folder : "/tmp");
	fd = mkostemp(trial->record_path, O_CLOEXEC);
	if (fd < 0)
		return error_exit(error, STATUS_FAILED, "%s: no file for the host's record: %s",
			trial->record_path, strerror(errno));
	trial->record = MAP_FAILED;
	if (ftruncate(fd, sizeof(*trial->record)) == 0)
		trial->record = mmap(
			NULL, sizeof(*trial->record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	trial->host.record = trial->record_path;
	if (trial->record != MAP_FAILED)
		return 0;
	trial->record = NULL;
	return error_exit(error, STATUS_FAILED, "%s: no memory for the host's record: %s",
		trial->record_path, strerror(errno));
}

static void trial_free(struct trial *trial)
{
	if (trial->record)
		munmap(trial->record, sizeof(*trial->record));
	if (trial->record_path)
		unlink(trial->record_path);
	free(trial->record_path);
	host_run_free(&trial->host);
}

/* --- the judgement ------------------------------------------------------------- */

static void skip_all(struct plugin_verdict *plugin, enum check_id from, const char *reason)
{
	enum check_id check;

	for (check = from; check < CHECKS; check++)
		plugin_skip(plugin, check, reason);
}

static void judge_unreadable(struct plugin_verdict *plugin, const char *message)
{
	cause_detail(plugin_cause(plugin, "cannot-load", NULL, message), text_copy(message));
	skip_all(plugin, CHECK_RUNS, "it was not loaded");
}

static void judge_timeout(struct trial *trial)
{
	char *where = host_position(trial->record);

	cause_detail(plugin_cause(trial->plugin, "hung", NULL, ""),
		text_format("it was ended after %ld s%s", trial->o->timeout, where));
	free(where);
}

/* A host that was to load the plugin, and what it did. */
static void judge_loads(struct trial *trial)
{
	struct plugin_verdict *plugin = trial->plugin;
	char *objection = NULL;

	if (!plugin->loads) {
		plugin_judge_file(plugin, trial->host.program);
		objection = program_objection(trial->host.program);
		if (plugin_check_result(plugin, CHECK_LOADS) != CHECK_FAILED)
			cause_detail(plugin_cause(plugin, "not-loaded", NULL, ""),
				text_copy(objection ? objection : "the host did not load it"));
		free(objection);
	} else if (plugin->cycles && plugin->loads < (size_t)plugin->cycles) {
		cause_detail(plugin_cause(plugin, "loaded-seldom", NULL, ""),
			text_format("%zu of %ld times", plugin->loads, plugin->cycles));
	} else if (!plugin->closes) {
		cause_detail(plugin_cause(plugin, "not-closed", NULL, ""),
			text_copy("the host did not close it"));
	}
}

static bool has_ended_early(const struct trial *trial)
{
	if (trial->timed_out || WIFSIGNALED(trial->wait_status))
		return true;
	return trial->record && trial->record->stage != HOST_ENDED;
}

static void trial_judge(struct trial *trial)
{
	struct plugin_verdict *plugin = trial->plugin;
	const struct host_record *record = trial->record;

	if (record && record->failure == HOST_LOAD_FAILED && record->cycle == 1)
		plugin_judge_file(plugin, NULL);
	if (trial->timed_out)
		judge_timeout(trial);
	else if (record)
		plugin_judge_host(plugin, record, trial->wait_status);
	else
		plugin_judge_exit(plugin, trial->wait_status);
	if (!record)
		judge_loads(trial);
	if (plugin_check_result(plugin, CHECK_LOADS) == CHECK_FAILED && !plugin->loads)
		skip_all(plugin, CHECK_RUNS, "it was not loaded");
	else if (has_ended_early(trial))
		skip_all(plugin, CHECK_UNLOADS, "it did not run to the end");
	if (record)
		plugin_judge_growth(plugin, record);
	else
		plugin_skip(plugin, CHECK_GROWTH, "only the built-in host is measured");
}

/* --- the run --------------------------------------------------------------------- */

static void trial_look(void *data)
{
	struct trial *trial = data;

	if (!trial->timed_out && trial->o->timeout &&
		now_ns() - trial->started > (uint64_t)trial->o->timeout * 1000000000) {
		trial->timed_out = true;
		child_signal(SIGKILL);
	}
}

static int trial_run(struct trial *trial, struct error *error)
{
	struct report report = {0};

	if (!trial->o->run.host_count && record_make(trial, error) < 0)
		return -1;
	if (host_run_prepare(&trial->host, error) < 0)
		return -1;
	trial->started = now_ns();
	if (host_run_start(&trial->host, &trial->wait_status, error) < 0)
		return -1;
	trial->plugin->ns = now_ns() - trial->started;
	if (WIFSIGNALED(trial->wait_status) && WTERMSIG(trial->wait_status) == SIGINT)
		return error_exit(error, 128 + SIGINT, "interrupted");
	host_run_sessions(&trial->host, &report);
	plugin_judge_sessions(trial->plugin, &report);
	report_close(&report);
	trial_judge(trial);
	return 0;
}

/* The plugins share the options; each has a run of its own. */
static int plugin_test(
	struct test_verdict *verdict, const struct test_options *o, int index, struct error *error)
{
	struct run_options run = o->run;
	struct trial trial = {
		.o = o,
		.plugin = verdict_add(verdict, o->plugins[index], o->run.cycles),
		.host = {.o = &run, .output = STDERR_FILENO, .look = trial_look},
	};
	int result = 0;

	trial.host.data = &trial;
	if (!o->with_arguments) {
		run.plugin = &o->plugins[index];
		run.plugin_count = 1;
	}
	if (plugin_file_check(o->plugins[index], error) < 0)
		judge_unreadable(trial.plugin, error->message);
	else
		result = trial_run(&trial, error);
	if (result == 0)
		plugin_finish(trial.plugin, &o->allow);
	trial_free(&trial);
	return result;
}

static void verdict_write(
	const struct test_verdict *verdict, const struct test_options *o, FILE *out)
{
	struct paper paper = {out, paper_has_color(out, o->run.color)};

	switch (o->format) {
	case TEST_TAP:
		verdict_write_tap(verdict, out);
		break;
	case TEST_JUNIT:
		verdict_write_junit(verdict, out);
		break;
	case TEST_JSON:
		verdict_write_json(verdict, out);
		break;
	default:
		verdict_write_text(verdict, &paper);
	}
}

static int plugins_test(const struct test_options *o, struct error *error)
{
	FILE *out = report_file(o->run.output, stdout, error);
	struct test_verdict verdict = {0};
	int i, status = 0;

	if (!out)
		return -1;
	for (i = 0; i < o->plugin_count && status == 0; i++)
		status = plugin_test(&verdict, o, i, error);
	if (status == 0) {
		verdict_write(&verdict, o, out);
		status = verdict_is_good(&verdict) ? 0 : STATUS_BAD;
	}
	if (status >= 0 && report_file_close(out, o->run.output, stdout, error) < 0)
		status = -1;
	verdict_free(&verdict);
	return status;
}

static int test_run(int argc, char **argv, struct error *error)
{
	struct test_options o;
	int status;

	status = test_options_parse(&o, argc, argv, error);
	if (status == 0) {
		error->status = 0;
		status = plugins_test(&o, error);
		if (status < 0 && !error->status)
			error->status = STATUS_FAILED;
	}
	test_options_free(&o);
	return status;
}

const struct command command_test = {
	.name = "test",
	.summary = "load and unload plugins repeatedly, and fail if anything stays",
	.synopsis = "test [OPTION...] PLUGIN.so...\n"
		    "test [OPTION...] HOST [ARG...] -- PLUGIN.so [ARG...]\n"
		    "test [OPTION...] -- PLUGIN.so [ARG...]",
	.details =
		"Without a HOST, a built-in one loads each plugin, calls its entry and unloads "
		"it, N\n"
		"times.  A HOST loads and unloads the plugin itself.  What a host prints goes to\n"
		"standard error.\n\n"
		"KIND is a check (loads, runs, unloads, memory, kept, resources, threads, "
		"pointers,\n"
		"late, growth) or a kind of cause, such as descriptor or timer.\n\n"
		"The exit status is 0 when all plugins passed, 1 when one failed; 2 for a wrong "
		"command\n"
		"line, 125 if relib failed, 126 if HOST is not executable, 127 if it was not "
		"found.",
	.options = test_option_table,
	.run = test_run,
};
