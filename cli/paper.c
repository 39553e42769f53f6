/* SPDX-License-Identifier: MIT */
#include "cli/paper.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const color_choices[] = {"auto", "always", "never", NULL};

bool paper_has_color(FILE *out, enum color_choice choice)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	return !(no_color && *no_color) && isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

void paper_print(const struct paper *paper, enum ink ink, const char *format, ...)
{
	static const char *const codes[] = {
		[INK_PLAIN] = "",
		[INK_TITLE] = "\033[1m",
		[INK_BAD] = "\033[31m",
		[INK_WARN] = "\033[33m",
		[INK_GOOD] = "\033[32m",
		[INK_FAINT] = "\033[2m",
	};
	bool colored = paper->color && ink != INK_PLAIN;
	char *text, *p;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0)
		return;
	for (p = text; *p; p++)
		if (((unsigned char)*p < ' ' && *p != '\n') || *p == 0x7f)
			*p = '?';
	fprintf(paper->out, "%s%s%s", colored ? codes[ink] : "", text, colored ? "\033[0m" : "");
	free(text);
}

const char *number_text(char buffer[NUMBER_SIZE], uint64_t number)
{
	char plain[32], *to = buffer;
	int length = snprintf(plain, sizeof(plain), "%" PRIu64, number), i;

	for (i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = plain[i];
	}
	*to = '\0';
	return buffer;
}

const char *count_text(char buffer[NUMBER_SIZE], uint64_t count, const char *noun)
{
	number_text(buffer, count);
	snprintf(buffer + strlen(buffer), NUMBER_SIZE - strlen(buffer), " %s%s", noun,
		count == 1 ? "" : "s");
	return buffer;
}

const char *tally_text(char buffer[NUMBER_SIZE], struct tally tally)
{
	char bytes[NUMBER_SIZE];
	size_t used;

	count_text(buffer, tally.blocks, "block");
	count_text(bytes, tally.bytes, "byte");
	used = strlen(buffer);
	snprintf(buffer + used, NUMBER_SIZE - used, ", %.40s", bytes);
	return buffer;
}
