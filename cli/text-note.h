/* SPDX-License-Identifier: MIT */
/* The notes of a session, in words. */
#ifndef RELIB_TEXT_NOTE_H
#define RELIB_TEXT_NOTE_H

#include "cli/leaks.h"
#include "cli/paper.h"

/* One line, to be freed. */
char *note_text(
	struct names *names, const struct session *session, const struct session_note *note);

/* All of them, with their stacks; more than a screenful are counted. */
void text_notes_print(const struct paper *paper, const struct leaks *leaks);

#endif
