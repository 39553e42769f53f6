/* SPDX-License-Identifier: MIT */
#include "cli/child.h"
#include "cli/command.h"
#include "cli/host-run.h"
#include "cli/program.h"

#include <stdlib.h>
#include <sys/wait.h>

struct run {
	struct run_options o;
	struct host_run host;
	FILE *out; /* of the report */
};

static void run_warn(const struct run *run)
{
	char *objection = program_objection(run->host.program);

	if (objection && !run->o.quiet)
		fprintf(stderr, "relib: warning: %s\n", objection);
	free(objection);
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

static int run_host(struct run *run, struct error *error)
{
	struct paper terminal = {stderr, paper_has_color(stderr, run->o.color)};
	struct report report = {0};
	int wait_status, status;

	run->host.paper = run->o.quiet ? NULL : &terminal;
	run_warn(run);
	status = host_run_start(&run->host, &wait_status, error);
	if (status == 0) {
		host_run_sessions(&run->host, &report);
		run_report(run, &report);
		status = run_status(run, &report, wait_status);
		if (report_file_close(run->out, run->o.output, stderr, error) < 0)
			status = -1;
		report_close(&report);
	}
	return status;
}

static int run_prepare(struct run *run, struct error *error)
{
	run->host.o = &run->o;
	if (host_run_prepare(&run->host, error) < 0)
		return -1;
	run->out = report_file(run->o.output, stderr, error);
	return run->out ? 0 : -1;
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
	host_run_free(&run.host);
	run_options_free(&run.o);
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
