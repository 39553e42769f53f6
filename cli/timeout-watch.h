/* SPDX-License-Identifier: MIT */
/*
 * Unloads that take too long, told while the host still waits in them: the
 * preload library writes notes into the session, and this looks for them.
 */
#ifndef RELIB_TIMEOUT_WATCH_H
#define RELIB_TIMEOUT_WATCH_H

#include "cli/paper.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* One process. */
struct watched_session {
	char *path;
	uint64_t started_ns; /* another one: the process has become another program */
	bool ours;	     /* of this run */
	bool timed_out;	     /* there was a timeout: its note may be counted on */
	uint64_t records;    /* notes as of the last look */
	uint64_t sum;	     /* of what all timeouts were counted, as of the last look */
	uint64_t *told;	     /* of note i: its count when it was told */
	size_t told_count;
};

struct timeout_watch {
	const char *base, *run_id; /* the caller's */
	uint64_t since_ns;	   /* start of the run, CLOCK_REALTIME */
	const struct paper *paper; /* where it is told */
	struct timespec changed;   /* of the base folder, as of the last look */
	struct watched_session *session;
	size_t count;
	uint64_t not_before; /* CLOCK_MONOTONIC, ns: no look is worth more than that */
};

/*
 * Looks for notes that were not there before and tells them.  Meant to be
 * called once a second: as long as there are none, it reads the header of each
 * session of the run.  Of runs with very many sessions fewer looks are made.
 */
void timeout_watch_look(struct timeout_watch *watch);
void timeout_watch_end(struct timeout_watch *watch);

#endif
