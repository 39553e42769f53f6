/* SPDX-License-Identifier: MIT */
/*
 * Memory of the command line.  None of these returns NULL: a command that has
 * no memory left says so in one line and ends with status 125.  That is the
 * one exception to errors being values; nothing useful could be done with it.
 */
#ifndef RELIB_MEMORY_H
#define RELIB_MEMORY_H

#include <stddef.h>

void *memory_zeroed(size_t count, size_t size); /* freed by free() */
void *memory_resized(void *block, size_t count, size_t size);
char *text_copy(const char *text);
char *text_copy_n(const char *text, size_t length);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Appends one zeroed element to an array of *@count, which doubles as needed. */
void *array_append(void *array_pointer, size_t *count, size_t size);

#endif
