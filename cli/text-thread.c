/* SPDX-License-Identifier: MIT */
#include "cli/text-thread.h"

#include "cli/stay.h"
#include "cli/text-stack.h"

#include <inttypes.h>
#include <stdlib.h>

#define PLACE_LINES 8	/* that created threads; more are counted */
#define THREAD_LINES 16 /* of one module; more are counted */

/* A process that has ended has no threads; the record is of its end. */
static const char *running_word(const struct leaks *leaks)
{
	return session_life(leaks->session->header) == SESSION_LIFE_RUNNING ? "running"
									    : "running at the end";
}

static void print_place(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_place *place)
{
	const struct session_place *record = place->record;
	struct text_stack stack = stack_of_place(record);
	uint64_t started = record->threads_started, ended = record->threads_ended;
	char text[NUMBER_SIZE];

	paper_print(paper, INK_PLAIN, "\n  created %s here", count_text(text, started, "thread"));
	if (ended >= started)
		paper_print(paper, INK_GOOD, ", ended\n");
	else {
		paper_print(paper, INK_PLAIN, ": %s ended, ", number_text(text, ended));
		paper_print(paper, INK_WARN, "%s %s\n", number_text(text, started - ended),
			running_word(leaks));
	}
	text_stack_print(paper, leaks, &stack);
}

static void print_places(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all)
{
	size_t i, shown = 0, more = 0;
	char text[NUMBER_SIZE];

	for (i = 0; i < module->place_count; i++) {
		if (!module->places[i].record->threads_started)
			continue;
		if (all || shown < PLACE_LINES)
			print_place(paper, leaks, &module->places[i]);
		else
			more++;
		shown++;
	}
	if (more)
		paper_print(paper, INK_PLAIN, "\n  threads were created at %s more\n",
			count_text(text, more, "place"));
}

/* Whose it is, how it came to be. */
static void print_thread_origin(const struct paper *paper, const struct leaks *leaks,
	const struct session_thread *thread, const char *owner)
{
	char *name = thread_text(thread), *text;

	paper_print(paper, INK_WARN, "\n  %s%s", owner, name);
	free(name);
	if (thread->start) {
		text = names_target(leaks->names, SESSION_FRAME_OBJECT(thread->start),
			SESSION_FRAME_OFFSET(thread->start));
		paper_print(paper, INK_PLAIN, ", start routine %s", text);
		free(text);
	}
	text = thread_creator_text(leaks, thread);
	if (text)
		paper_print(paper, INK_PLAIN, ", created in %s", text);
	free(text);
}

static void print_thread(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t generation, uint32_t index)
{
	const struct session_thread *thread = session_thread(leaks->session, index);
	uint32_t number = session_generation(leaks->session, generation)->number;
	struct text_stack stack = stack_of_thread(thread, module->object);
	const char *owner = thread->generation == generation ? ""
			    : thread->generation	     ? "another module's "
							     : "the host's ";

	print_thread_origin(paper, leaks, thread, owner);
	if (thread->generation == generation)
		paper_print(paper, INK_PLAIN, ", of generation %" PRIu32, number);
	if (thread->blocks == generation && stack.count) {
		paper_print(paper, INK_PLAIN,
			"; the unload of generation %" PRIu32 " waits for it, it stands\n", number);
		text_stack_print(paper, leaks, &stack);
	} else {
		paper_print(paper, INK_PLAIN, ", %s\n", running_word(leaks));
	}
}

void text_threads_print(const struct paper *paper, const struct leaks *leaks,
	const struct leaks_module *module, bool all)
{
	const struct index_list *threads;
	size_t i, k, shown = 0, more = 0;
	char text[NUMBER_SIZE];

	print_places(paper, leaks, module, all);
	for (i = 0; i < module->generations.count; i++) {
		threads = &leaks->generations[module->generations.index[i]].threads;
		for (k = 0; k < threads->count; k++) {
			if (all || shown < THREAD_LINES)
				print_thread(paper, leaks, module, module->generations.index[i],
					threads->index[k]);
			else
				more++;
			shown++;
		}
	}
	if (more)
		paper_print(
			paper, INK_PLAIN, "\n  and %s more\n", count_text(text, more, "thread"));
}
