/* SPDX-License-Identifier: MIT */
/* What relib run was asked to do. */
#ifndef RELIB_RUN_OPTIONS_H
#define RELIB_RUN_OPTIONS_H

#include "cli/options.h"

struct run_options {
	struct text_list track, through;
	long error_exitcode; /* 0: none */
	long frames;	     /* -1: not said */
	long cycles;	     /* 0: not said */
	long unload_timeout; /* seconds, 0: for ever; -1: not said */
	long guard;	     /* MiB; -1: not said */
	int leaks;	     /* enum session_leaks; -1: not said */
	int threads;	     /* enum session_threads; -1: not said */
	int fds;	     /* enum session_fds; -1: not said */
	int names;	     /* enum session_names; -1: not said */
	int timeout_action;  /* 0: report, 1: abandon; -1: not said */
	int format, color;
	const char *output, *entry, *session_dir;
	bool quiet;
	/* From the operands: */
	char **host; /* HOST and its arguments; host_count 0: the built-in one */
	int host_count;
	char **plugin; /* PLUGIN.so and what follows it */
	int plugin_count;
};

extern const struct option run_option_table[];

/* What the choices are called, as options and as RELIB_* variables. */
extern const char *const leaks_choices[], *const threads_choices[], *const timeout_actions[];
extern const char *const fds_choices[], *const names_choices[];

/* What is done at unloads, in the table of each command that runs hosts. */
#define RUN_OPTIONS_OF_UNLOADS(OFFSET)                                                             \
	{"through", 0, OPTION_LIST, OFFSET(through), "LIB",                                        \
		"what LIB allocates belongs to its callers", NULL, 0, 0},                          \
		{"leaks", 0, OPTION_CHOICE, OFFSET(leaks), "WHAT",                                 \
			"free leaked memory (default), only report it, or off", leaks_choices, 0,  \
			0},                                                                        \
		{"threads", 0, OPTION_CHOICE, OFFSET(threads), "WHAT",                             \
			"defer an unload while threads need the module (default), or refuse it",   \
			threads_choices, 0, 0},                                                    \
		{"fds", 0, OPTION_CHOICE, OFFSET(fds), "WHAT",                                     \
			"report descriptors and streams left (default), or close them, too",       \
			fds_choices, 0, 0},                                                        \
	{                                                                                          \
		"names", 0, OPTION_CHOICE, OFFSET(names), "WHAT",                                  \
			"report files and names left (default), or remove them, too",              \
			names_choices, 0, 0                                                        \
	}

/* What the options are when none was said. */
extern const struct run_options run_options_unsaid;

/* The texts that the preload library takes must not be too long: -1 and @error. */
int run_options_check(const struct run_options *o, struct error *error);

/* [HOST [ARG...]] [-- PLUGIN.so [ARG...]] */
void run_options_split(struct run_options *o, int argc, char **argv);
void run_options_free(struct run_options *o);

/* Returns 0, OPTIONS_HELP, or -1 and @error. */
int run_options_parse(struct run_options *o, int argc, char **argv, struct error *error);

#endif
