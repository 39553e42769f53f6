/* SPDX-License-Identifier: MIT */
#include "elf/error.h"

#include <stdio.h>

static void error_fill(struct error *error, int code, int status, const char *format, va_list args)
{
	char *p;

	error->code = code;
	error->status = status;
	vsnprintf(error->message, sizeof(error->message), format, args);
	/* One error is one line, whatever a file is called. */
	for (p = error->message; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
}

int error_set(struct error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(error, code, 0, format, args);
	va_end(args);
	return -1;
}

int error_exit(struct error *error, int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	error_fill(error, 0, status, format, args);
	va_end(args);
	return -1;
}
