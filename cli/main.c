/* SPDX-License-Identifier: MIT */
#include "cli/command.h"

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int help_run(int argc, char **argv, struct error *error);

static const struct option no_options[] = {{0}};

static const struct command command_help = {
	.name = "help",
	.summary = "print the help of relib or of one command",
	.synopsis = "help [COMMAND]",
	.options = no_options,
	.run = help_run,
};

static const struct command *const commands[] = {
	&command_run,
	&command_test,
	&command_leaks,
	&command_check,
	&command_help,
	NULL,
};

static const struct command *command_find(const struct command *const *table, const char *word)
{
	const char *last;

	for (; *table; table++) {
		last = strrchr((*table)->name, ' ');
		if (strcmp(last ? last + 1 : (*table)->name, word) == 0)
			return *table;
	}
	return NULL;
}

static void commands_print(const struct command *const *table)
{
	for (; *table; table++) {
		if ((*table)->parts)
			commands_print((*table)->parts);
		else
			printf("  %-15s %s\n", (*table)->name, (*table)->summary);
	}
}

static void relib_help(void)
{
	printf("usage: relib COMMAND [OPTION...] [ARGUMENT...]\n\n"
	       "Makes native plugins safe to unload and reload, and reports what they leave.\n\n"
	       "commands:\n");
	commands_print(commands);
	printf("\noptions:\n"
	       "  %-15s print this help\n  %-15s print the version\n\n"
	       "'relib COMMAND --help' tells more, 'man relib-COMMAND' everything.\n",
		"-h, --help", "--version");
}

static void synopsis_print(const struct command *command)
{
	const char *line = command->synopsis, *end, *lead = "usage:";

	for (; *line; line = *end ? end + 1 : end, lead = "      ") {
		end = strchrnul(line, '\n');
		printf("%s relib %.*s\n", lead, (int)(end - line), line);
	}
}

static void command_print(const struct command *command)
{
	synopsis_print(command);
	printf("\n%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
	if (command->parts) {
		printf("\ncommands:\n");
		commands_print(command->parts);
		return;
	}
	printf("\noptions:\n");
	options_print(command->options, stdout);
	if (!command->details)
		return;
	printf("\n");
	words_print(stdout, command->details, 0);
}

/* From words to a command: "leaks report" are two.  *@used is how many words it took. */
static const struct command *command_chosen(int argc, char **argv, int *used, struct error *error)
{
	const struct command *const *table = commands;
	const struct command *command = NULL, *found;

	for (*used = 0; *used < argc && table; (*used)++) {
		if (command && argv[*used][0] == '-')
			break;
		found = command_find(table, argv[*used]);
		if (!found) {
			if (!command)
				error_exit(error, STATUS_USAGE,
					"unknown command '%s'; see relib help", argv[*used]);
			else
				error_exit(error, STATUS_USAGE,
					"unknown command '%s %s'; see relib help %s", command->name,
					argv[*used], command->name);
			return NULL;
		}
		command = found;
		table = command->parts;
	}
	return command;
}

static int help_run(int argc, char **argv, struct error *error)
{
	const struct command *command;
	int used;

	if (argc == 0) {
		relib_help();
		return 0;
	}
	command = command_chosen(argc, argv, &used, error);
	if (!command)
		return -1;
	if (used < argc)
		return error_exit(error, STATUS_USAGE,
			"'%s' is not a part of relib %s; see relib help", argv[used],
			command->name);
	command_print(command);
	return 0;
}

static int command_start(int argc, char **argv, struct error *error)
{
	const struct command *command;
	int used, status;

	command = command_chosen(argc, argv, &used, error);
	if (!command)
		return -1;
	if (command->parts) {
		if (used < argc &&
			(strcmp(argv[used], "--help") == 0 || strcmp(argv[used], "-h") == 0)) {
			command_print(command);
			return 0;
		}
		return error_exit(error, STATUS_USAGE,
			"relib %s needs a command; see relib help %s", command->name,
			command->name);
	}
	status = command->run(argc - used, argv + used, error);
	if (status != OPTIONS_HELP)
		return status;
	command_print(command);
	return 0;
}

static int relib_start(int argc, char **argv, struct error *error)
{
	if (argc == 0)
		return error_exit(error, STATUS_USAGE, "which command? see relib help");
	if (strcmp(argv[0], "--version") == 0) {
		printf("relib %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0) {
		relib_help();
		return 0;
	}
	if (argv[0][0] == '-')
		return error_exit(
			error, STATUS_USAGE, "unknown option '%s'; see relib help", argv[0]);
	return command_start(argc, argv, error);
}

int main(int argc, char **argv)
{
	static struct error error;
	int status;

	if (argc > 0) {
		argc--;
		argv++;
	}
	status = relib_start(argc, argv, &error);
	if (status < 0) {
		fprintf(stderr, "relib: %s\n", error.message);
		return error.status ? error.status : EXIT_FAILURE;
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "relib: the output could not be written: %m\n");
		return status ? status : EXIT_FAILURE;
	}
	return status;
}
