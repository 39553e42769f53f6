/* SPDX-License-Identifier: MIT */
#include "cli/leaks-report.h"

#include "elf/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const format_choices[] = {"text", "json", NULL};

int report_add(struct report *report, const char *path, const struct leaks_scope *scope,
	struct error *error)
{
	struct session *session = session_open(path, error);
	struct leaks **leaks;

	if (!session)
		return -1;
	leaks = array_append(&report->leaks, &report->count, sizeof(*report->leaks));
	*leaks = leaks_open(session, scope);
	return 0;
}

void report_drop_last(struct report *report)
{
	struct leaks *leaks = report->leaks[--report->count];
	struct session *session = (struct session *)leaks->session;

	leaks_close(leaks);
	session_close(session);
}

void report_close(struct report *report)
{
	while (report->count)
		report_drop_last(report);
	free(report->leaks);
	report->leaks = NULL;
}

bool report_is_at_fault(const struct report *report)
{
	size_t i;

	for (i = 0; i < report->count; i++)
		if (leaks_is_at_fault(report->leaks[i]))
			return true;
	return false;
}

FILE *report_file(const char *path, FILE *otherwise, struct error *error)
{
	FILE *out = path ? fopen(path, "we") : otherwise;

	if (!out)
		error_set(error, errno, "%s: the report cannot be written there: %s", path,
			strerror(errno));
	return out;
}

int report_file_close(FILE *out, const char *path, FILE *otherwise, struct error *error)
{
	bool failed = fflush(out) != 0 || ferror(out);

	if (out != otherwise)
		failed |= fclose(out) != 0;
	if (!failed)
		return 0;
	return error_set(error, errno, "%s: the report could not be written%s%s",
		path ? path : "standard output", errno ? ": " : "", errno ? strerror(errno) : "");
}

const char *life_name(enum session_life life)
{
	switch (life) {
	case SESSION_LIFE_RUNNING:
		return "running";
	case SESSION_LIFE_EXITED:
		return "exited";
	default:
		return "killed";
	}
}

const char *note_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		[SESSION_NOTE_DEEPBIND] = "deepbind",
		[SESSION_NOTE_LATE_FREE] = "late-free",
		[SESSION_NOTE_DOUBLE_FREE] = "double-free",
		[SESSION_NOTE_NOT_STOPPED] = "not-stopped",
		[SESSION_NOTE_UNTRACKED] = "untracked",
		[SESSION_NOTE_NOT_COPIED] = "not-copied",
		[SESSION_NOTE_LATE_CALL] = "late-call",
		[SESSION_NOTE_TIMEOUT] = "timeout",
	};

	if (kind < sizeof(names) / sizeof(names[0]) && names[kind])
		return names[kind];
	return "unknown";
}

char *stop_reason(const struct session *session, const struct session_generation *generation)
{
	if (session->header->leaks_policy == SESSION_LEAKS_OFF)
		return text_copy("leaks=off");
	if (generation->stop_errno)
		return text_format("the other threads could not be stopped: %s",
			strerror(generation->stop_errno));
	if (!generation->look_ns)
		return text_copy("relib saw no dlclose since it went");
	return text_copy("the other threads could not be stopped");
}
