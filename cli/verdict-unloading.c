/* SPDX-License-Identifier: MIT */
#include "cli/verdict.h"

#include "cli/balance.h"
#include "cli/dangling.h"
#include "cli/stay.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *stay_cause_kind(const struct session_generation *generation)
{
	switch (generation->closing) {
	case SESSION_DEFERRED:
		return "deferred";
	case SESSION_REFUSED:
		return "refused";
	case SESSION_ABANDONED:
		return "abandoned";
	default:
		return "stays";
	}
}

/* Threads differ in every generation, the reason is the same. */
static void judge_stay(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, const struct session_stay *stay)
{
	const struct session_generation *generation =
		session_generation(leaks->session, stay->generation);
	char *text = stay_text(leaks, stay);
	struct cause *cause;

	cause = plugin_cause_at(plugin, stay_cause_kind(generation), leaks, module, 0,
		stay->kind == SESSION_STAY_THREAD ? "thread" : text);
	cause_count_add(cause, generation->number, tally_of(1, 0));
	cause_detail(cause, text);
}

static void judge_stuck(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct session_generation *generation = session_generation(leaks->session, index);
	const struct index_list *stays = &leaks->generations[index].stays;
	const struct session_stay *stay;
	struct cause *cause;
	size_t i, told = 0;

	for (i = 0; i < stays->count; i++) {
		stay = session_stay(leaks->session, stays->index[i]);
		/* Who opened it is no reason beside that it is open. */
		if (!stay->current || stay->kind == SESSION_STAY_OPENED_FROM)
			continue;
		judge_stay(plugin, leaks, module, stay);
		told++;
	}
	if (told)
		return;
	cause = plugin_cause_at(plugin, stay_cause_kind(generation), leaks, module, 0, "");
	cause_count_add(cause, generation->number, tally_of(1, 0));
	cause_detail(cause, text_copy("relib does not see why"));
}

/* --- threads ------------------------------------------------------------------ */

static void judge_threads(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct session_generation *generation = session_generation(leaks->session, index);
	const struct index_list *threads = &leaks->generations[index].threads;
	const struct session_thread *thread;
	struct cause *cause;
	char *start;
	size_t i;

	if (generation->state == SESSION_LOADED && !generation_is_stuck(generation))
		return;
	for (i = 0; i < threads->count; i++) {
		thread = session_thread(leaks->session, threads->index[i]);
		if (thread->generation != index)
			continue;
		cause = plugin_cause_at(plugin, "thread", leaks, module, thread->place, "");
		cause_count_add(cause, generation->number, tally_of(1, 0));
		if (!thread->start)
			continue;
		start = names_target(leaks->names, SESSION_FRAME_OBJECT(thread->start),
			SESSION_FRAME_OFFSET(thread->start));
		cause_detail(cause, text_format("its start routine is %s", start));
		free(start);
	}
}

/* --- pointers ------------------------------------------------------------------ */

/* The same thing as a resource, or 0. */
static uint32_t hook_resource(uint32_t kind)
{
	switch (kind) {
	case SESSION_DANGLING_SIGNAL:
		return SESSION_SIGNAL_HANDLER;
	case SESSION_DANGLING_TIMER:
		return SESSION_TIMER;
	case SESSION_DANGLING_ON_EXIT:
	case SESSION_DANGLING_QUICK_EXIT:
		return SESSION_EXIT_HANDLER;
	case SESSION_DANGLING_ENVIRON:
		return SESSION_ENVIRONMENT;
	case SESSION_DANGLING_BUFFER:
		return SESSION_BUFFER;
	case SESSION_DANGLING_OPENLOG:
		return SESSION_SYSLOG;
	default:
		return 0;
	}
}

/* What a balance tells of need not be told twice. */
static bool balance_tells(
	const struct leaks *leaks, const struct leaks_generation *told, uint32_t resource)
{
	const struct session_balance *balance;
	struct balance_sum sum = {0};
	size_t i;

	for (i = 0; i < told->balances.count; i++) {
		balance = session_balance(leaks->session, told->balances.index[i]);
		if (balance->kind == resource)
			balance_add(leaks, &sum, balance);
	}
	return balance_residue(&sum).blocks != 0;
}

/* A block of the heap has another address in every run. */
static char *dangling_detail(const struct leaks *leaks, const struct session_dangling *dangling)
{
	char *target, *setter, *text;

	if (dangling->kind != SESSION_DANGLING_MEMORY || dangling->root.kind != SESSION_ROOT_HEAP)
		return dangling_text(leaks, dangling);
	target = dangling_target_text(leaks, dangling);
	setter = place_owner_text(leaks, dangling->place);
	text = text_format("a block of the host's heap -> %s%s%s", target,
		setter ? ", set in " : "", setter ? setter : "");
	free(target);
	free(setter);
	return text;
}

static void judge_danglings(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct leaks_generation *told = &leaks->generations[index];
	uint32_t number = session_generation(leaks->session, index)->number;
	const struct session_dangling *dangling;
	struct cause *cause;
	uint32_t resource;
	char *text;
	size_t i;

	for (i = 0; i < told->danglings.count; i++) {
		dangling = session_dangling(leaks->session, told->danglings.index[i]);
		resource = hook_resource(dangling->kind);
		if (dangling_may_be_stale(dangling) ||
			(resource && balance_tells(leaks, told, resource)))
			continue;
		text = dangling_detail(leaks, dangling);
		cause = plugin_cause_at(
			plugin, resource ? "hook" : "dangling", leaks, module, 0, text);
		cause_count_add(cause, number, tally_of(dangling->count, 0));
		cause_detail(cause, text);
	}
}

static void judge_timeouts(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct session *session = leaks->session;
	const struct session_generation *generation = session_generation(session, index);
	const struct index_list *notes = &leaks->generations[index].timeouts;
	const struct session_note *note;
	struct cause *cause;
	uint64_t frame = 0;
	char *where;
	uint32_t i;

	if (!notes->count && !(generation->how & SESSION_TIMED_OUT))
		return;
	cause = plugin_cause_at(plugin, "timeout", leaks, module, 0, "");
	note = notes->count ? session_note(session, notes->index[0]) : NULL;
	cause_count_add(cause, generation->number, tally_of(note ? note->count : 1, 0));
	for (i = 0; note && i < note->stack_count && !frame; i++)
		if (SESSION_FRAME_OBJECT(session_frame(session, note->stack + i)) == module->object)
			frame = session_frame(session, note->stack + i);
	where = frame ? names_line(leaks->names, frame, module->object) : NULL;
	cause_detail(cause,
		text_format("after %g s it stood in %s", session->header->timeout_ms / 1000.0,
			where ? where : "a place that is not known"));
	free(where);
}

void plugin_judge_unloading(
	struct plugin_verdict *plugin, const struct leaks *leaks, const struct leaks_module *module)
{
	uint32_t index;
	size_t i;

	for (i = 0; i < module->generations.count; i++) {
		index = module->generations.index[i];
		if (generation_is_stuck(session_generation(leaks->session, index)))
			judge_stuck(plugin, leaks, module, index);
		judge_threads(plugin, leaks, module, index);
		judge_danglings(plugin, leaks, module, index);
		judge_timeouts(plugin, leaks, module, index);
	}
}

/* --- what came after the unload ------------------------------------------------- */

static const struct leaks_module *module_find(const struct leaks *leaks, uint32_t object)
{
	size_t i;

	for (i = 0; i < leaks->module_count; i++)
		if (leaks->modules[i].object == object)
			return &leaks->modules[i];
	return NULL;
}

static uint32_t note_object(const struct session *session, const struct session_note *note)
{
	if (note->generation)
		return session_generation(session, note->generation)->object;
	if (note->place)
		return session_place(session, note->place)->object;
	return note->object ? note->object : SESSION_FRAME_OBJECT(note->frame);
}

static void judge_late(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct session_note *note, const char *kind)
{
	const struct leaks_module *module = module_find(leaks, note_object(leaks->session, note));
	uint32_t number =
		note->generation ? session_generation(leaks->session, note->generation)->number : 0;
	struct cause *cause;
	char *line;

	if (note->kind == SESSION_NOTE_LATE_CALL)
		line = names_target(leaks->names,
			SESSION_FRAME_OBJECT(note->frame) ? SESSION_FRAME_OBJECT(note->frame)
							  : note->object,
			SESSION_FRAME_OFFSET(note->frame));
	else
		line = note->frame ? names_line(leaks->names, note->frame, 0) : text_copy("?");
	cause = module ? plugin_cause_at(plugin, kind, leaks, module, note->place, line)
		       : plugin_cause(plugin, kind, NULL, line);
	/* How often is told, and in which cycle it is not known for all. */
	cause->cycles = 1;
	cause_count_add(cause, number, tally_of(note->count ? note->count : 1, 0));
	cause_detail(cause, note->kind == SESSION_NOTE_LATE_CALL ? text_copy(line)
								 : text_format("by %s", line));
	free(line);
}

void plugin_judge_notes(struct plugin_verdict *plugin, const struct leaks *leaks)
{
	const struct session_note *note;
	uint64_t i;

	for (i = 1; i < leaks->session->count[SESSION_NOTES]; i++) {
		note = session_note(leaks->session, i);
		if (note->kind == SESSION_NOTE_LATE_CALL)
			judge_late(plugin, leaks, note, "late-call");
		else if (note->kind == SESSION_NOTE_LATE_FREE)
			judge_late(plugin, leaks, note, "late-free");
		else if (note->kind == SESSION_NOTE_DOUBLE_FREE)
			judge_late(plugin, leaks, note, "double-free");
	}
}
