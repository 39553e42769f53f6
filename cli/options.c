/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "elf/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parser {
	const struct option *options;
	char *values; /* the command's struct */
	const char *command;
	int argc;
	char **argv;
	int at; /* the argument being looked at */
	struct error *error;
};

void text_list_add(struct text_list *list, const char *text)
{
	const char **end = array_append(&list->text, &list->count, sizeof(*list->text));

	*end = text;
}

static int number_set(struct parser *p, const struct option *option, const char *text)
{
	long value;
	char *end;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || end == text || *end || value < option->min || value > option->max)
		return error_exit(p->error, STATUS_USAGE,
			"--%s: '%s' is not a number from %ld to %ld", option->name, text,
			option->min, option->max);
	memcpy(p->values + option->offset, &value, sizeof(value));
	return 0;
}

static int choice_set(struct parser *p, const struct option *option, const char *text)
{
	char known[256] = "";
	int i;

	for (i = 0; option->choices[i]; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			memcpy(p->values + option->offset, &i, sizeof(i));
			return 0;
		}
		if (i)
			strncat(known, ", ", sizeof(known) - strlen(known) - 1);
		strncat(known, option->choices[i], sizeof(known) - strlen(known) - 1);
	}
	return error_exit(
		p->error, STATUS_USAGE, "--%s: '%s' is none of %s", option->name, text, known);
}

static int option_set(struct parser *p, const struct option *option, const char *text)
{
	void *value = p->values + option->offset;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)value = true;
		return 0;
	case OPTION_TEXT:
		if (!*text)
			return error_exit(p->error, STATUS_USAGE, "--%s: %s must not be empty",
				option->name, option->argument);
		*(const char **)value = text;
		return 0;
	case OPTION_LIST:
		if (!*text)
			return error_exit(p->error, STATUS_USAGE, "--%s: %s must not be empty",
				option->name, option->argument);
		text_list_add(value, text);
		return 0;
	case OPTION_NUMBER:
		return number_set(p, option, text);
	case OPTION_CHOICE:
		return choice_set(p, option, text);
	}
	return 0;
}

static const struct option *option_find(struct parser *p, const char *name, size_t length)
{
	const struct option *option;

	for (option = p->options; option->name; option++)
		if (strncmp(option->name, name, length) == 0 && option->name[length] == '\0')
			return option;
	return NULL;
}

static int option_unknown(struct parser *p, const char *text, size_t length)
{
	return error_exit(p->error, STATUS_USAGE, "unknown option '%.*s'; see relib %s%s--help",
		(int)length, text, p->command, *p->command ? " " : "");
}

/* The argument of an option whose value is not attached to it. */
static const char *value_next(struct parser *p, const struct option *option)
{
	if (p->at + 1 < p->argc)
		return p->argv[++p->at];
	error_exit(p->error, STATUS_USAGE, "--%s needs %s after it; see relib %s --help",
		option->name, option->argument, p->command);
	return NULL;
}

static int parse_long(struct parser *p)
{
	const char *text = p->argv[p->at], *value = strchr(text, '=');
	size_t length = value ? (size_t)(value - text) : strlen(text);
	const struct option *option = option_find(p, text + 2, length - 2);

	if (strcmp(text, "--help") == 0)
		return OPTIONS_HELP;
	if (!option)
		return option_unknown(p, text, length);
	if (option->kind == OPTION_FLAG && value)
		return error_exit(p->error, STATUS_USAGE, "--%s takes no value", option->name);
	if (value)
		value++;
	else if (option->kind != OPTION_FLAG && !(value = value_next(p, option)))
		return -1;
	return option_set(p, option, value);
}

/* -q, -oFILE, -o FILE, -qo FILE */
static int parse_short(struct parser *p)
{
	const char *text = p->argv[p->at] + 1, *value;
	const struct option *option;

	for (; *text; text++) {
		if (*text == 'h')
			return OPTIONS_HELP;
		for (option = p->options; option->name; option++)
			if (option->letter == *text)
				break;
		if (!option->name)
			return option_unknown(p, p->argv[p->at], strlen(p->argv[p->at]));
		if (option->kind == OPTION_FLAG) {
			option_set(p, option, NULL);
			continue;
		}
		value = text[1] ? text + 1 : value_next(p, option);
		return value ? option_set(p, option, value) : -1;
	}
	return 0;
}

static bool is_option(const char *text)
{
	return text[0] == '-' && text[1];
}

static int parse_one(struct parser *p)
{
	return p->argv[p->at][1] == '-' ? parse_long(p) : parse_short(p);
}

int options_leading(const struct option *options, void *values, const char *command, int argc,
	char **argv, struct error *error)
{
	struct parser p = {options, values, command, argc, argv, 0, error};
	int result;

	for (; p.at < argc; p.at++) {
		if (!is_option(argv[p.at]) || strcmp(argv[p.at], "--") == 0)
			break;
		result = parse_one(&p);
		if (result < 0)
			return result;
	}
	return p.at;
}

int options_anywhere(const struct option *options, void *values, const char *command, int argc,
	char **argv, struct error *error)
{
	struct parser p = {options, values, command, argc, argv, 0, error};
	bool ended = false;
	int operands = 0, result;

	for (; p.at < argc; p.at++) {
		if (!ended && strcmp(argv[p.at], "--") == 0) {
			ended = true;
		} else if (!ended && is_option(argv[p.at])) {
			result = parse_one(&p);
			if (result < 0)
				return result;
		} else {
			argv[operands++] = argv[p.at];
		}
	}
	return operands;
}

#define HELP_WIDTH 80
#define LEFT_SIZE 80

static int left_text(char left[LEFT_SIZE], const struct option *option)
{
	return snprintf(left, LEFT_SIZE, "%c%c%c --%s%s%s", option->letter ? '-' : ' ',
		option->letter ? option->letter : ' ', option->letter ? ',' : ' ', option->name,
		option->argument ? "=" : "", option->argument ? option->argument : "");
}

void words_print(FILE *out, const char *text, int column)
{
	size_t at = column, length;

	while (*text) {
		length = strcspn(text, " \n");
		if (at > (size_t)column && at + length + 1 > HELP_WIDTH) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		}
		at += fprintf(out, "%s%.*s", at > (size_t)column ? " " : "", (int)length, text);
		text += length;
		if (strncmp(text, "\n\n", 2) == 0) {
			fprintf(out, "\n\n");
			at = column;
		}
		text += strspn(text, " \n");
	}
	fprintf(out, "\n");
}

void options_print(const struct option *options, FILE *out)
{
	const struct option *option;
	int width = strlen("-h, --help"), length;
	char left[LEFT_SIZE];

	for (option = options; option->name; option++) {
		length = left_text(left, option);
		if (length > width)
			width = length;
	}
	for (option = options; option->name; option++) {
		left_text(left, option);
		fprintf(out, "  %-*s  ", width, left);
		words_print(out, option->help, width + 4);
	}
	fprintf(out, "  %-*s  %s\n", width, "-h, --help", "print this help");
}
