/* SPDX-License-Identifier: MIT */
/*
 * The options of a command, described once in a table from which they are
 * parsed and their help is printed.
 */
#ifndef RELIB_OPTIONS_H
#define RELIB_OPTIONS_H

#include "elf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define STATUS_USAGE 2 /* exit status of a wrong command line */

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_LIST,   /* struct text_list, repeatable */
	OPTION_NUMBER, /* long, from min to max */
	OPTION_CHOICE, /* int: index into choices */
};

struct text_list {
	const char **text; /* the texts are the command line's own */
	size_t count;
};

struct option {
	const char *name; /* without the dashes; NULL ends the table */
	char letter;	  /* short form, or 0 */
	enum option_kind kind;
	size_t offset;	      /* of the value in the command's struct */
	const char *argument; /* what the help calls the value */
	const char *help;
	const char *const *choices; /* OPTION_CHOICE: NULL-terminated */
	long min, max;		    /* OPTION_NUMBER */
};

#define OPTIONS_HELP (-2) /* --help was among the options */

/*
 * Parses the options before the first operand, so that a host's options are
 * left to the host.  Returns the index of the first operand or of "--", or
 * OPTIONS_HELP, or -1 and @error with status STATUS_USAGE.  @command is the
 * name that errors and the help use.
 */
int options_leading(const struct option *options, void *values, const char *command, int argc,
	char **argv, struct error *error);

/*
 * Parses options wherever they stand, up to "--", and moves the operands to
 * the front of @argv.  Returns their number, OPTIONS_HELP, or -1.
 */
int options_anywhere(const struct option *options, void *values, const char *command, int argc,
	char **argv, struct error *error);

void options_print(const struct option *options, FILE *out);

/*
 * Prints text in lines of 80 characters, of which all but the first begin at
 * the column; an empty line in it stays one.
 */
void words_print(FILE *out, const char *text, int column);
void text_list_add(struct text_list *list, const char *text);

#endif
