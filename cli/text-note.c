/* SPDX-License-Identifier: MIT */
#include "cli/text-note.h"

#include "cli/text-stack.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>

#define NOTE_LINES 20 /* of one session; more are counted */

static const char *note_words(unsigned int kind)
{
	switch (kind) {
	case SESSION_NOTE_DEEPBIND:
		return "RTLD_DEEPBIND was taken away, it would hide the module from relib";
	case SESSION_NOTE_LATE_FREE:
		return "a block was freed that relib had freed already (ignored)";
	case SESSION_NOTE_DOUBLE_FREE:
		return "a block was freed twice (ignored)";
	case SESSION_NOTE_NOT_STOPPED:
		return "the other threads could not be stopped, nothing was freed";
	case SESSION_NOTE_UNTRACKED:
		return "blocks went to the host's heap";
	case SESSION_NOTE_NOT_COPIED:
		return "the file could not be kept, names may be missing";
	default:
		return "something of a newer relib";
	}
}

/* "plugin.so generation 2: ", or as much of that as is known. */
static char *note_subject(
	struct names *names, const struct session *session, const struct session_note *note)
{
	const struct session_generation *generation;

	if (note->generation) {
		generation = session_generation(session, note->generation);
		return text_format("%s generation %" PRIu32 ": ",
			names_object(names, generation->object), generation->number);
	}
	if (note->object)
		return text_format("%s: ", names_object(names, note->object));
	return text_copy("");
}

/* "on_tick in plugin.so (plugin.c:40) was called after the unload, by thread 123" */
static char *late_call_text(struct names *names, const struct session_note *note)
{
	uint32_t object = SESSION_FRAME_OBJECT(note->frame) ? SESSION_FRAME_OBJECT(note->frame)
							    : note->object;
	char *target = names_target(names, object, SESSION_FRAME_OFFSET(note->frame)), *text;

	text = note->thread ? text_format("%s was called after the unload, by thread %" PRIu32,
				      target, note->thread)
			    : text_format("%s was called after the unload", target);
	free(target);
	return text;
}

static char *timeout_text(const struct session *session, const struct session_note *note)
{
	const char *name = session_string(session, note->text);

	return text_format("the unload took longer than %g s: thread %" PRIu32
			   "%s%s%s was in the way",
		session->header->timeout_ms / 1000.0, note->thread, *name ? " (" : "", name,
		*name ? ")" : "");
}

static char *plain_text(
	struct names *names, const struct session *session, const struct session_note *note)
{
	const char *detail = session_string(session, note->text);
	char *caller = note->frame ? names_line(names, note->frame, 0) : text_copy(""), *text;

	text = text_format("%s%s%s%s%s", note_words(note->kind), *detail ? ": " : "", detail,
		*caller ? ", by " : "", caller);
	free(caller);
	return text;
}

char *note_text(struct names *names, const struct session *session, const struct session_note *note)
{
	char *subject = note_subject(names, session, note), *what, *text, times[48] = "";

	if (note->kind == SESSION_NOTE_LATE_CALL)
		what = late_call_text(names, note);
	else if (note->kind == SESSION_NOTE_TIMEOUT)
		what = timeout_text(session, note);
	else
		what = plain_text(names, session, note);
	if (note->count > 1)
		snprintf(times, sizeof(times), " (%" PRIu64 " times)", note->count);
	text = text_format("%s%s%s", subject, what, times);
	free(subject);
	free(what);
	return text;
}

void text_notes_print(const struct paper *paper, const struct leaks *leaks)
{
	const struct session *session = leaks->session;
	uint64_t count = session->count[SESSION_NOTES], i;
	const struct session_note *note;
	char *text, number[NUMBER_SIZE];
	struct text_stack stack;

	for (i = 1; i < count && i <= NOTE_LINES; i++) {
		note = session_note(session, i);
		text = note_text(leaks->names, session, note);
		paper_print(paper, INK_WARN, "%snote: %s\n", i == 1 ? "\n" : "", text);
		free(text);
		stack = stack_of_note(session, note, 0);
		if (stack.count)
			text_stack_print(paper, leaks, &stack);
	}
	if (i < count)
		paper_print(
			paper, INK_WARN, "and %s more\n", count_text(number, count - i, "note"));
}
