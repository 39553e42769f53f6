/* SPDX-License-Identifier: MIT */
/* The commands of relib: one table, from which they are found and their help is printed. */
#ifndef RELIB_COMMAND_H
#define RELIB_COMMAND_H

#include "cli/options.h"
#include "elf/error.h"

struct command {
	const char *name;     /* as typed after "relib " */
	const char *summary;  /* one line */
	const char *synopsis; /* lines, each without "relib " */
	const char *details;  /* below the options, NULL: nothing */
	const struct option *options;
	/*
	 * Runs with what follows the command's name.  Returns the exit status,
	 * or -1 and @error, or OPTIONS_HELP to have the help printed.
	 */
	int (*run)(int argc, char **argv, struct error *error);
	const struct command *const *parts; /* commands below this one, NULL-terminated */
};

extern const struct command command_run;
extern const struct command command_test;
extern const struct command command_check;
extern const struct command command_leaks;
extern const struct command command_leaks_report;
extern const struct command command_leaks_diff;

#endif
