/* SPDX-License-Identifier: MIT */
/* What relib test was asked to do. */
#ifndef RELIB_TEST_OPTIONS_H
#define RELIB_TEST_OPTIONS_H

#include "cli/run-options.h"

enum test_format { TEST_TEXT, TEST_TAP, TEST_JUNIT, TEST_JSON };

struct test_options {
	struct run_options run; /* of each plugin's run; its plugin is set for each */
	struct text_list allow; /* names of kinds and checks that do not fail */
	int format;		/* enum test_format */
	long timeout;		/* seconds for one plugin, 0: for ever */
	char **plugins;
	int plugin_count;
	bool with_arguments; /* what follows the first plugin is for it: there is one */
};

extern const struct option test_option_table[];

/* Returns 0, OPTIONS_HELP, or -1 and @error. */
int test_options_parse(struct test_options *o, int argc, char **argv, struct error *error);
void test_options_free(struct test_options *o);

#endif
