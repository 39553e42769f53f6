/* SPDX-License-Identifier: MIT */
#include "cli/text-stack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A physical frame and, above it, what was inlined there. */
static void print_frame(const struct paper *paper, struct names *names,
	const struct names_code *code, const struct text_stack *stack, bool first)
{
	const char *indent = stack->deep ? "  " : "";
	char *text;
	size_t i;

	paper_print(paper, INK_FAINT, "    %s%s 0x%-6" PRIx64 " ", indent, first ? "at" : "by",
		SESSION_FRAME_OFFSET(code->frame));
	text = code->exact ? names_line_exact(names, code->frame, stack->home)
			   : names_line(names, code->frame, stack->home);
	paper_print(paper, INK_PLAIN, "%s\n", text);
	free(text);
	for (i = 1; i < code->count; i++) {
		text = names_symbol_text(&code->symbols[i]);
		paper_print(paper, INK_PLAIN, "%s                inlined by %s\n", indent, text);
		free(text);
	}
}

/* What is below main() is the same in every program. */
static bool code_is_main(const struct names_code *code)
{
	const char *function = code->symbols[code->count - 1].function;

	return function && strcmp(function, "main") == 0;
}

/* Nobody looks for the cause in the built-in host, which calls one function of the plugin. */
static bool frame_is_of_built_in_host(const struct session *session, uint64_t frame)
{
	uint32_t object = session->header->host_object;

	return object && SESSION_FRAME_OBJECT(frame) == object &&
	       strcmp(base_name(session_object_path(session, object)), "relib-host") == 0;
}

void text_stack_print(
	const struct paper *paper, const struct leaks *leaks, const struct text_stack *stack)
{
	const struct names_code *code;
	uint64_t frame;
	uint32_t i;

	for (i = 0; i < stack->count; i++) {
		frame = session_frame(leaks->session, stack->first + i);
		if (i && frame_is_of_built_in_host(leaks->session, frame))
			return;
		code = i == 0 && stack->exact ? names_code_exact(leaks->names, frame)
					      : names_code(leaks->names, frame);
		print_frame(paper, leaks->names, code, stack, i == 0);
		if (code_is_main(code))
			return;
	}
	if (!stack->count)
		paper_print(paper, INK_FAINT, "    no stack was recorded\n");
	else if (stack->cut)
		paper_print(paper, INK_FAINT, "    the stack goes on, but could not be followed\n");
}

struct text_stack stack_of_place(const struct session_place *place)
{
	return (struct text_stack){
		.first = place->frame,
		.count = place->frame_count,
		.cut = place->flags & SESSION_PLACE_CUT,
		.home = place->object,
	};
}

struct text_stack stack_of_note(
	const struct session *session, const struct session_note *note, uint32_t home)
{
	return (struct text_stack){
		.first = note->stack,
		.count = note->stack_count,
		.exact = note->kind == SESSION_NOTE_TIMEOUT ||
			 (note->stack_count && session_frame(session, note->stack) == note->frame),
		.home = home,
	};
}

struct text_stack stack_of_thread(const struct session_thread *thread, uint32_t home)
{
	return (struct text_stack){
		.first = thread->stack,
		.count = thread->stack_count,
		.exact = true,
		.cut = thread->stack_flags & SESSION_PLACE_CUT,
		.home = home,
	};
}
