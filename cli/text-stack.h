/* SPDX-License-Identifier: MIT */
/* Call stacks of the report for people, a line for each frame down to main() or the built-in host.
 */
#ifndef RELIB_TEXT_STACK_H
#define RELIB_TEXT_STACK_H

#include "cli/leaks.h"
#include "cli/paper.h"

struct text_stack {
	uint32_t first, count; /* in SESSION_FRAMES, innermost first */
	bool exact;	       /* the first is an instruction's own address */
	bool cut;	       /* it goes on, but could not be followed */
	bool deep;	       /* below a line that is indented itself */
	uint32_t home;	       /* object whose name goes without saying */
};

void text_stack_print(
	const struct paper *paper, const struct leaks *leaks, const struct text_stack *stack);

/* The stack of a place. */
struct text_stack stack_of_place(const struct session_place *place);

/* Of a note; @home as in struct text_stack. */
struct text_stack stack_of_note(
	const struct session *session, const struct session_note *note, uint32_t home);

/* Where a thread stood when an unload waited for it. */
struct text_stack stack_of_thread(const struct session_thread *thread, uint32_t home);

#endif
