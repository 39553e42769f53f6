/* SPDX-License-Identifier: MIT */
#include "cli/child.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cli/install.h"
#include "cli/leaks-report.h"
#include "cli/program.h"
#include "cli/run-options.h"
#include "cli/session-folder.h"
#include "cli/timeout-watch.h"
#include "elf/memory.h"
#include "elf/plugin-file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_KEPT 50 /* ended ones, in the default folder */

struct run {
	struct run_options o;
	char *shim, *base, *program, *id;
	char **argv; /* of the host; its texts are in @owned or the command line's */
	char *owned[3];
	struct timespec started;
	FILE *out; /* of the report */
};

static uint64_t run_since(const struct run *run)
{
	return (uint64_t)run->started.tv_sec * 1000000000 + run->started.tv_nsec;
}

static void run_free(struct run *run)
{
	size_t i;

	for (i = 0; i < sizeof(run->owned) / sizeof(run->owned[0]); i++)
		free(run->owned[i]);
	free(run->shim);
	free(run->base);
	free(run->program);
	free(run->id);
	free(run->argv);
	free(run->o.track.text);
	free(run->o.through.text);
}

/*
 * What the host is given for PLUGIN.so: the file that was checked, also when
 * its name has no slash and dlopen would look for it elsewhere.
 */
static char *plugin_argument(struct run *run)
{
	char *name = run->o.plugin[0];

	if (strchr(name, '/'))
		return name;
	run->owned[0] = text_format("./%s", name);
	return run->owned[0];
}

/* HOST ARG... PLUGIN.so ARG..., or relib-host OPTION... PLUGIN.so ARG... */
static void run_arguments(struct run *run)
{
	const struct run_options *o = &run->o;
	char **to;
	int i;

	to = run->argv = memory_zeroed(o->host_count + o->plugin_count + 8, sizeof(*to));
	for (i = 0; i < o->host_count; i++)
		*to++ = o->host[i];
	if (!o->host_count) {
		*to++ = run->program;
		if (o->entry) {
			*to++ = (char *)"--entry";
			*to++ = run->owned[1] = text_copy(o->entry);
		}
		if (o->cycles) {
			*to++ = (char *)"--cycles";
			*to++ = run->owned[2] = text_format("%ld", o->cycles);
		}
	}
	for (i = 0; i < o->plugin_count; i++)
		*to++ = i ? o->plugin[i] : plugin_argument(run);
}

static int plugin_check(const struct run_options *o, struct error *error)
{
	if (!o->plugin_count || plugin_file_check(o->plugin[0], error) == 0)
		return 0;
	error->status = STATUS_FAILED;
	return -1;
}

/* The preload library wants an absolute path that is no link. */
static int base_resolve(struct run *run, struct error *error)
{
	char *real = realpath(run->base, NULL);

	if (!real)
		return error_set(error, errno, "%s: %s", run->base, strerror(errno));
	free(run->base);
	run->base = real;
	return 0;
}

/* Everything that can go wrong before the host is started does so here. */
static int run_prepare(struct run *run, struct error *error)
{
	bool is_default;

	error->status = 0;
	if (plugin_check(&run->o, error) < 0)
		return -1;
	run->program =
		run->o.host_count ? program_find(run->o.host[0], error) : install_host(error);
	if (!run->program)
		return -1;
	run->shim = install_shim(error);
	if (!run->shim)
		return -1;
	run->base = session_base(run->o.session_dir, &is_default);
	if (session_base_make(run->base, is_default, error) < 0)
		return -1;
	if (!is_default && base_resolve(run, error) < 0)
		return -1;
	if (is_default)
		session_base_prune(run->base, SESSIONS_KEPT);
	clock_gettime(CLOCK_REALTIME, &run->started);
	run->id = text_format("%ld.%" PRIx64, (long)getpid(), run_since(run));
	run_arguments(run);
	run->out = report_file(run->o.output, stderr, error);
	return run->out ? 0 : -1;
}

static void run_warn(const struct run *run)
{
	char *objection = program_objection(run->program);

	if (objection && !run->o.quiet)
		fprintf(stderr, "relib: warning: %s\n", objection);
	free(objection);
}

/* Of this run, and with something to say. */
static bool is_reported(const struct run *run, const struct leaks *leaks)
{
	const struct session *session = leaks->session;

	return strcmp(session_string(session, session->header->run_id), run->id) == 0 &&
	       (leaks->module_count || session->header->flags & SESSION_NOT_INTERPOSED);
}

/* The sessions of this run that loaded a module, oldest first. */
static void run_sessions(const struct run *run, struct report *report)
{
	uint64_t since = run_since(run);
	struct session_list list;
	struct error error;
	size_t i;

	session_list_read(run->base, &list);
	for (i = list.count; i-- > 0;) {
		if (list.entry[i].started_ns < since)
			continue;
		if (report_add(report, list.entry[i].path, NULL, &error) < 0) {
			fprintf(stderr, "relib: warning: %s\n", error.message);
			continue;
		}
		if (!is_reported(run, report->leaks[report->count - 1]))
			report_drop_last(report);
	}
	session_list_free(&list);
}

static void run_report(const struct run *run, const struct report *report)
{
	struct paper paper = {run->out, paper_has_color(run->out, run->o.color)};
	struct paper terminal = {stderr, paper_has_color(stderr, run->o.color)};
	bool to_file = run->out != stderr;

	if (run->o.quiet && !to_file)
		return;
	if (run->o.format == FORMAT_JSON)
		report_write_json(report, run->out);
	else if (report->count)
		report_write_text(report, &paper);
	else
		paper_print(&paper, INK_PLAIN, "relib: no module was loaded%s\n",
			run->o.track.count ? " that --track names" : "");
	if (to_file && !run->o.quiet)
		report_write_summary(report, &terminal);
}

/*
 * As of valgrind: residue wins over the status of a host that ended by itself,
 * but a host that was killed is told as such.
 */
static int run_status(const struct run *run, const struct report *report, int wait_status)
{
	if (run->o.error_exitcode && !WIFSIGNALED(wait_status) && report_is_at_fault(report))
		return run->o.error_exitcode;
	return child_exit_status(wait_status);
}

static void run_look(void *data)
{
	timeout_watch_look(data);
}

/* No unload can take too long where there is no timeout: the host is left alone. */
static bool run_is_watched(const struct run *run)
{
	const char *said = getenv("RELIB_UNLOAD_TIMEOUT");

	if (run->o.quiet)
		return false;
	if (run->o.unload_timeout >= 0)
		return run->o.unload_timeout > 0;
	return !said || strcmp(said, "0") != 0;
}

static int run_host(struct run *run, struct error *error)
{
	struct run_setup setup = {run->shim, run->base, run->id};
	struct paper terminal = {stderr, paper_has_color(stderr, run->o.color)};
	struct timeout_watch timeouts = {
		.base = run->base,
		.run_id = run->id,
		.since_ns = run_since(run),
		.paper = &terminal,
	};
	struct child_watch watch = {run_is_watched(run) ? run_look : NULL, &timeouts};
	char **environment = environment_make(&run->o, &setup);
	struct report report = {0};
	int wait_status, status;

	run_warn(run);
	status = child_run(run->program, run->argv, environment, &watch, &wait_status, error);
	timeout_watch_end(&timeouts);
	environment_free(environment);
	if (status == 0) {
		run_sessions(run, &report);
		run_report(run, &report);
		status = run_status(run, &report, wait_status);
		if (report_file_close(run->out, run->o.output, stderr, error) < 0)
			status = -1;
		report_close(&report);
	}
	return status;
}

static int run_run(int argc, char **argv, struct error *error)
{
	struct run run = {0};
	int status;

	status = run_options_parse(&run.o, argc, argv, error);
	if (status == 0) {
		status = run_prepare(&run, error);
		if (status == 0)
			status = run_host(&run, error);
		if (status < 0 && !error->status)
			error->status = STATUS_FAILED;
	}
	run_free(&run);
	return status;
}

const struct command command_run = {
	.name = "run",
	.summary = "run a host and report what its modules left",
	.synopsis = "run [OPTION...] HOST [ARG...]\n"
		    "run [OPTION...] HOST [ARG...] -- PLUGIN.so [ARG...]\n"
		    "run [OPTION...] -- PLUGIN.so [ARG...]",
	.details = "With a PLUGIN.so, HOST gets it and what follows as further arguments, and it "
		   "alone\n"
		   "is tracked.  Without a HOST, a built-in one loads the plugin, calls its entry "
		   "and\n"
		   "unloads it.\n\n"
		   "The exit status is the host's own, 128+N if signal N ended it; 125 if relib "
		   "failed,\n"
		   "126 if HOST is not executable, 127 if it was not found.",
	.options = run_option_table,
	.run = run_run,
};
