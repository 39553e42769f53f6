/* SPDX-License-Identifier: MIT */
/*
 * An error is a value that is handed up.  Only main() prints one and exits.
 *
 * A function that can fail takes a struct error * last, fills it exactly when
 * it fails, and returns -1 (or NULL).  The message is one line without a full
 * stop or newline; it names the thing and, where there is something to do,
 * says what.
 */
#ifndef RELIB_ERROR_H
#define RELIB_ERROR_H

#include <limits.h>
#include <stdarg.h>

struct error {
	int code;   /* errno, or 0 where none applies */
	int status; /* exit status that main should give, 0: its default */
	char message[PATH_MAX + 512];
};

/* Fills @error; @error->status is 0.  Returns -1. */
int error_set(struct error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set, with the exit @status that main should give. */
int error_exit(struct error *error, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
