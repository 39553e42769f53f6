/* SPDX-License-Identifier: MIT */
/*
 * Names addresses for the preload library, which runs this program from hosts:
 * reads lines "KIND ADDRESS PATH" from standard input and answers each by one
 * line, empty when nothing is known.
 *
 *	E	an instruction		function (file.c:12)
 *	R	a return address	the call before it
 *	F	a function's begin	the function itself, not what is inlined there
 *	D	data			variable, variable+0x10
 *
 * ADDRESS is an ELF virtual address in hex.  PATH is the rest of the line.
 */
#include "elf/memory.h"
#include "elf/symbolizer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MOST 500 /* bytes: the asker has room for so much */

struct file {
	char *path;
	struct symbolizer *symbolizer; /* NULL: it cannot be read */
};

static struct symbolizer *file_find(struct file **files, size_t *count, const char *path)
{
	struct error error = {0};
	struct file *file;
	size_t i;

	for (i = 0; i < *count; i++)
		if (strcmp((*files)[i].path, path) == 0)
			return (*files)[i].symbolizer;
	file = array_append(files, count, sizeof(**files));
	file->path = text_copy(path);
	file->symbolizer = *path ? symbolizer_open(path, &error) : NULL;
	return file->symbolizer;
}

static char *code_name(struct symbolizer *symbolizer, uint64_t address, char kind)
{
	struct symbol_frame *frames, *frame;
	size_t count = symbolizer_code(symbolizer, address - (kind == 'R'), &frames);
	const char *file;
	char *name = NULL;

	frame = &frames[kind == 'F' ? count - 1 : 0];
	if (frame->function && frame->file) {
		file = strrchr(frame->file, '/');
		name = text_format(
			"%s (%s:%d)", frame->function, file ? file + 1 : frame->file, frame->line);
	} else if (frame->function) {
		name = text_copy(frame->function);
	}
	symbol_frames_free(frames, count);
	return name;
}

static void answer(char *name)
{
	size_t i;

	for (i = 0; name && name[i] && i < ANSWER_MOST; i++)
		putchar(iscntrl((unsigned char)name[i]) ? '?' : name[i]);
	putchar('\n');
	free(name);
}

static char *data_name(struct symbolizer *symbolizer, uint64_t address)
{
	struct symbol_variable variable;
	char *name;

	if (!symbolizer_variable(symbolizer, address, &variable))
		return NULL;
	name = text_copy(variable.name);
	symbol_variable_free(&variable);
	return name;
}

int main(void)
{
	struct file *files = NULL;
	size_t count = 0, size = 0;
	char *line = NULL;

	while (getline(&line, &size, stdin) > 0) {
		struct symbolizer *symbolizer;
		unsigned long long address;
		char kind, *name = NULL;
		int path = 0;

		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%c %llx%n", &kind, &address, &path) == 2 && line[path] == ' ') {
			symbolizer = file_find(&files, &count, line + path + 1);
			if (symbolizer && kind == 'D')
				name = data_name(symbolizer, address);
			else if (symbolizer)
				name = code_name(symbolizer, address, kind);
		}
		answer(name);
	}
	free(line);
	while (count) {
		symbolizer_close(files[--count].symbolizer);
		free(files[count].path);
	}
	free(files);
	return EXIT_SUCCESS;
}
