/* SPDX-License-Identifier: MIT */
/* What points into an unmapped image, in words. */
#ifndef RELIB_DANGLING_H
#define RELIB_DANGLING_H

#include "cli/leaks.h"

const char *dangling_kind_name(unsigned int kind); /* "signal" */

/* "SIGUSR1", "SIGRTMIN+3", "signal 99"; to be freed. */
char *signal_text(unsigned int number);

/* What holds the pointer, to be freed: "host: handlers[3] (host.c:12)", "environ: FOO=bar". */
char *dangling_holder_text(const struct leaks *leaks, const struct session_dangling *dangling);

/* What it points to, to be freed: "on_tick in plugin.so (plugin.c:40)". */
char *dangling_target_text(const struct leaks *leaks, const struct session_dangling *dangling);

/* "HOLDER -> TARGET, set in start (plugin.c:12), taken back"; to be freed. */
char *dangling_text(const struct leaks *leaks, const struct session_dangling *dangling);

#endif
