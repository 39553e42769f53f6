/* SPDX-License-Identifier: MIT */
#include "elf/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *memory_certain(void *block)
{
	static const char message[] = "relib: out of memory\n";

	if (block)
		return block;
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(125);
	_exit(125);
}

void *memory_zeroed(size_t count, size_t size)
{
	return memory_certain(calloc(count ? count : 1, size));
}

void *memory_resized(void *block, size_t count, size_t size)
{
	return memory_certain(reallocarray(block, count ? count : 1, size));
}

char *text_copy(const char *text)
{
	return memory_certain(strdup(text));
}

char *text_copy_n(const char *text, size_t length)
{
	return memory_certain(strndup(text, length));
}

char *text_format(const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return memory_certain(n < 0 ? NULL : text);
}

void *array_append(void *array_pointer, size_t *count, size_t size)
{
	char *array;

	memcpy(&array, array_pointer, sizeof(array));
	/* Full at every power of two, so that no capacity has to be kept. */
	if ((*count & (*count - 1)) == 0) {
		array = memory_resized(array, *count ? *count * 2 : 1, size);
		memcpy(array_pointer, &array, sizeof(array));
	}
	return memset(array + size * (*count)++, 0, size);
}
