/* SPDX-License-Identifier: MIT */
/* The environment of a host: the preload library, and what it is told. */
#ifndef RELIB_ENVIRONMENT_H
#define RELIB_ENVIRONMENT_H

#include "cli/run-options.h"

struct run_setup {
	const char *shim;   /* path of librelib.so */
	const char *base;   /* folder of sessions */
	const char *run_id; /* marks the sessions of this run */
};

/*
 * This process's environment with what the host needs, NULL-terminated, to be
 * freed by environment_free.  Options that were not given leave the RELIB_*
 * variables that say the same as they are.
 */
char **environment_make(const struct run_options *o, const struct run_setup *setup);
void environment_free(char **environment);

#endif
