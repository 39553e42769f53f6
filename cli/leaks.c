/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

static const struct command *const parts[] = {
	&command_leaks_report,
	&command_leaks_diff,
	NULL,
};

const struct command command_leaks = {
	.name = "leaks",
	.summary = "report what modules left, or compare two sessions",
	.synopsis = "leaks report [OPTION...] [SESSION | PID]\n"
		    "leaks diff [OPTION...] BEFORE AFTER",
	.parts = parts,
};
