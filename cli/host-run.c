/* SPDX-License-Identifier: MIT */
#include "cli/host-run.h"

#include "cli/child.h"
#include "cli/environment.h"
#include "cli/install.h"
#include "cli/program.h"
#include "cli/session-folder.h"
#include "cli/timeout-watch.h"
#include "elf/memory.h"
#include "elf/plugin-file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SESSIONS_KEPT 50 /* ended ones, in the default folder */

static uint64_t run_since(const struct host_run *run)
{
	return (uint64_t)run->started.tv_sec * 1000000000 + run->started.tv_nsec;
}

/*
 * What the host is given for PLUGIN.so: the file that was checked, also when
 * its name has no slash and dlopen would look for it elsewhere.
 */
static char *plugin_argument(struct host_run *run)
{
	char *name = run->o->plugin[0];

	if (strchr(name, '/'))
		return name;
	run->owned[0] = text_format("./%s", name);
	return run->owned[0];
}

/* HOST ARG... PLUGIN.so ARG..., or relib-host OPTION... PLUGIN.so ARG... */
static void run_arguments(struct host_run *run)
{
	const struct run_options *o = run->o;
	char **to;
	int i;

	to = run->argv = memory_zeroed(o->host_count + o->plugin_count + 10, sizeof(*to));
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
		if (run->record) {
			*to++ = (char *)"--record";
			*to++ = run->owned[3] = text_copy(run->record);
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
static int base_resolve(struct host_run *run, struct error *error)
{
	char *real = realpath(run->base, NULL);

	if (!real)
		return error_set(error, errno, "%s: %s", run->base, strerror(errno));
	free(run->base);
	run->base = real;
	return 0;
}

int host_run_prepare(struct host_run *run, struct error *error)
{
	bool is_default;

	error->status = 0;
	if (plugin_check(run->o, error) < 0)
		return -1;
	run->program =
		run->o->host_count ? program_find(run->o->host[0], error) : install_host(error);
	if (!run->program)
		return -1;
	run->shim = install_shim(error);
	if (!run->shim)
		return -1;
	run->base = session_base(run->o->session_dir, &is_default);
	if (session_base_make(run->base, is_default, error) < 0)
		return -1;
	if (!is_default && base_resolve(run, error) < 0)
		return -1;
	if (is_default)
		session_base_prune(run->base, SESSIONS_KEPT);
	clock_gettime(CLOCK_REALTIME, &run->started);
	run->id = text_format("%ld.%" PRIx64, (long)getpid(), run_since(run));
	run_arguments(run);
	return 0;
}

/* Of this run, and with something to say. */
static bool is_reported(const struct host_run *run, const struct leaks *leaks)
{
	const struct session *session = leaks->session;

	return strcmp(session_string(session, session->header->run_id), run->id) == 0 &&
	       (leaks->module_count || session->header->flags & SESSION_NOT_INTERPOSED);
}

void host_run_sessions(const struct host_run *run, struct report *report)
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

/* What is done while the host runs. */
struct run_watch {
	const struct host_run *run;
	struct timeout_watch *timeouts; /* NULL: not watched */
};

static void run_look(void *data)
{
	const struct run_watch *watch = data;

	if (watch->timeouts)
		timeout_watch_look(watch->timeouts);
	if (watch->run->look)
		watch->run->look(watch->run->data);
}

/* No unload can take too long where there is no timeout: the host is left alone. */
static bool run_is_watched(const struct host_run *run)
{
	const char *said = getenv("RELIB_UNLOAD_TIMEOUT");

	if (!run->paper)
		return false;
	if (run->o->unload_timeout >= 0)
		return run->o->unload_timeout > 0;
	return !said || strcmp(said, "0") != 0;
}

int host_run_start(struct host_run *run, int *wait_status, struct error *error)
{
	struct run_setup setup = {run->shim, run->base, run->id};
	struct timeout_watch timeouts = {
		.base = run->base,
		.run_id = run->id,
		.since_ns = run_since(run),
		.paper = run->paper,
	};
	struct run_watch looks = {run, run_is_watched(run) ? &timeouts : NULL};
	struct child_watch watch = {
		.look = looks.timeouts || run->look ? run_look : NULL,
		.data = &looks,
		.output = run->output,
	};
	char **environment = environment_make(run->o, &setup);
	int result;

	result = child_run(run->program, run->argv, environment, &watch, wait_status, error);
	timeout_watch_end(&timeouts);
	environment_free(environment);
	return result;
}

void host_run_free(struct host_run *run)
{
	size_t i;

	for (i = 0; i < HOST_RUN_OWNED; i++)
		free(run->owned[i]);
	free(run->shim);
	free(run->base);
	free(run->program);
	free(run->id);
	free(run->argv);
}
