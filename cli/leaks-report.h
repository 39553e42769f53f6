/* SPDX-License-Identifier: MIT */
/* Writing what sessions left, for people and for programs. */
#ifndef RELIB_LEAKS_REPORT_H
#define RELIB_LEAKS_REPORT_H

#include "cli/leaks.h"
#include "cli/paper.h"

enum report_format { FORMAT_TEXT, FORMAT_JSON };
extern const char *const format_choices[];

struct report {
	struct leaks **leaks; /* one per session */
	size_t count;
	bool all; /* also places that left nothing */
};

/* Opens sessions and adds them; they are closed by report_close.  @scope NULL: all of it. */
int report_add(struct report *report, const char *path, const struct leaks_scope *scope,
	struct error *error);
void report_drop_last(struct report *report);
void report_close(struct report *report);

/* Something is at fault in any session: what --error-exitcode tells. */
bool report_is_at_fault(const struct report *report);

void report_write_text(const struct report *report, const struct paper *paper);
/* The last line of the text report. */
void report_write_summary(const struct report *report, const struct paper *paper);
void report_write_json(const struct report *report, FILE *out);

/* The file @path to write to, or @otherwise when @path is NULL. */
FILE *report_file(const char *path, FILE *otherwise, struct error *error);
/* 0, or -1 and @error when something could not be written.  Closes all but @otherwise. */
int report_file_close(FILE *out, const char *path, FILE *otherwise, struct error *error);

const char *life_name(enum session_life life);
const char *note_kind_name(unsigned int kind);

/* Why the memory of a generation was not looked through, to be freed. */
char *stop_reason(const struct session *session, const struct session_generation *generation);

#endif
