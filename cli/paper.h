/* SPDX-License-Identifier: MIT */
/*
 * Where a report for people is written: a stream that may show colours.  What
 * is printed comes from files, so characters that steer a terminal are
 * replaced.
 */
#ifndef RELIB_PAPER_H
#define RELIB_PAPER_H

#include "cli/session-file.h"

#include <stdbool.h>
#include <stdio.h>

enum color_choice { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
extern const char *const color_choices[];

enum ink { INK_PLAIN, INK_TITLE, INK_BAD, INK_WARN, INK_GOOD, INK_FAINT };

struct paper {
	FILE *out;
	bool color;
};

/* Automatic: colours on a terminal that has them, unless NO_COLOR is set. */
bool paper_has_color(FILE *out, enum color_choice choice);

void paper_print(const struct paper *paper, enum ink ink, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Room for two numbers and their nouns. */
#define NUMBER_SIZE 96

/* "5,223" and "14 blocks, 5,223 bytes"; return @buffer. */
const char *number_text(char buffer[NUMBER_SIZE], uint64_t number);
const char *tally_text(char buffer[NUMBER_SIZE], struct tally tally);

/* "3 modules", "1 module"; returns @buffer. */
const char *count_text(char buffer[NUMBER_SIZE], uint64_t count, const char *noun);

#endif
