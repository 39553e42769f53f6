/* SPDX-License-Identifier: MIT */
/* One run of a host under the preload library, and the sessions that come of it. */
#ifndef RELIB_HOST_RUN_H
#define RELIB_HOST_RUN_H

#include "cli/leaks-report.h"
#include "cli/run-options.h"

#include <sys/types.h>
#include <time.h>

#define HOST_RUN_OWNED 4

struct host_run {
	/* The caller's: */
	const struct run_options *o;
	const char *record;	   /* file for the built-in host's record, NULL: none */
	int output;		   /* what becomes the host's standard output, 0: ours */
	const struct paper *paper; /* where unloads that take too long are told, NULL: nowhere */
	void (*look)(void *data);  /* called about once a second, or NULL */
	void *data;
	/* Made by host_run_prepare: */
	char *shim, *base, *program, *id;
	char **argv; /* of the host; its texts are in @owned or the command line's */
	char *owned[HOST_RUN_OWNED];
	struct timespec started;
};

/* Everything that can go wrong before the host is started does so here: -1 and @error. */
int host_run_prepare(struct host_run *run, struct error *error);

/* Puts what waitpid() says into *@wait_status.  Returns -1 and @error if it was not started. */
int host_run_start(struct host_run *run, int *wait_status, struct error *error);

/* Adds the sessions of this run that loaded a module, oldest first. */
void host_run_sessions(const struct host_run *run, struct report *report);

void host_run_free(struct host_run *run);

#endif
