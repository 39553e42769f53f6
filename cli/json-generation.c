/* SPDX-License-Identifier: MIT */
/* The schema is docs/json.md; what is here changes together with it. */
#include "cli/json-generation.h"

#include "cli/dangling.h"
#include "cli/json-balance.h"
#include "cli/leaks-report.h"
#include "cli/stay.h"
#include "cli/text-note.h"
#include "cli/text-stack.h"

#include <stdlib.h>
#include <string.h>

struct json_object *json_root(const struct leaks *leaks, const struct session_root *root)
{
	struct json_object *object;
	bool in_object = root->kind == SESSION_ROOT_GLOBAL || root->kind == SESSION_ROOT_RUNTIME;
	bool in_thread = root->kind == SESSION_ROOT_STACK || root->kind == SESSION_ROOT_REGISTER ||
			 root->kind == SESSION_ROOT_THREAD;
	const struct session *session = leaks->session;
	char *text;

	if (root->kind == SESSION_ROOT_NONE)
		return NULL;
	object = json_object_new_object();
	text = names_root(leaks->names, session, root);
	json_add(object, "kind", json_text(root_kind_name(root->kind)));
	json_add(object, "text", json_text(text));
	json_add(object, "object",
		in_object && root->object ? json_text(session_object_path(session, root->object))
					  : NULL);
	json_add(object, "offset", in_object ? json_hex(root->offset) : NULL);
	json_add(object, "address", root->address ? json_hex(root->address) : NULL);
	json_add(object, "thread", in_thread ? json_number(root->object) : NULL);
	free(text);
	return object;
}

static struct json_object *json_stop(
	const struct session *session, const struct session_generation *generation)
{
	static const char *const methods[] = {"none", "ptrace", "signal"};
	struct json_object *stop = json_object_new_object();
	char *reason = NULL;

	if (generation->state == SESSION_UNLOADED_BLIND || generation->stop_errno)
		reason = stop_reason(session, generation);
	json_add(stop, "method",
		json_text(generation->stop < 3 ? methods[generation->stop] : "none"));
	json_add(stop, "error", json_text_or_null(reason));
	json_add(stop, "threads", json_number(generation->threads));
	json_add(stop, "stopped_us", json_number(generation->stop_ns / 1000));
	json_add(stop, "look_us", json_number(generation->look_ns / 1000));
	json_add(stop, "looked_bytes", json_number(generation->looked_bytes));
	free(reason);
	return stop;
}

/* {"path", "number"}, or null */
static struct json_object *json_generation_name(const struct session *session, uint32_t index)
{
	const struct session_generation *generation;
	struct json_object *object;

	if (!index)
		return NULL;
	generation = session_generation(session, index);
	object = json_object_new_object();
	json_add(object, "path", json_text(session_object_path(session, generation->object)));
	json_add(object, "number", json_number(generation->number));
	return object;
}

static struct json_object *json_text_stack(
	const struct leaks *leaks, const struct text_stack *stack)
{
	return json_stack(leaks->names, leaks->session, stack->first, stack->count, stack->exact);
}

static struct json_object *json_place_stack(const struct leaks *leaks, uint32_t place)
{
	struct text_stack stack = {0};

	if (place)
		stack = stack_of_place(session_place(leaks->session, place));
	return json_text_stack(leaks, &stack);
}

static struct json_object *json_object_path(const struct session *session, uint32_t object)
{
	return object ? json_text(session_object_path(session, object)) : NULL;
}

struct json_object *json_note(const struct leaks *leaks, const struct session_note *note)
{
	const struct session *session = leaks->session;
	struct json_object *object = json_object_new_object();
	struct text_stack stack = stack_of_note(session, note, 0);
	char *text = note_text(leaks->names, session, note);
	bool is_call = note->kind == SESSION_NOTE_LATE_CALL;

	json_add(object, "kind", json_text(note_kind_name(note->kind)));
	json_add(object, "text", json_text(text));
	json_add(object, "object", json_object_path(session, note->object));
	json_add(object, "count", json_number(note->count));
	json_add(object, "first", json_time(note->first_ns));
	json_add(object, "caller",
		is_call ? NULL : json_one_frame(leaks->names, session, note->frame, false));
	json_add(object, "called",
		is_call ? json_one_frame(leaks->names, session, note->frame, true) : NULL);
	json_add(object, "generation", json_generation_name(session, note->generation));
	json_add(object, "thread", note->thread ? json_number(note->thread) : NULL);
	json_add(object, "stack", json_text_stack(leaks, &stack));
	free(text);
	return object;
}

static struct json_object *json_notes(const struct leaks *leaks, const struct index_list *list)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < list->count; i++)
		json_object_array_add(
			array, json_note(leaks, session_note(leaks->session, list->index[i])));
	return array;
}

static struct json_object *json_thread(
	const struct leaks *leaks, const struct session_thread *thread, uint32_t generation)
{
	const struct session *session = leaks->session;
	struct text_stack stack = stack_of_thread(thread, 0);
	struct json_object *object = json_object_new_object();
	char name[sizeof(thread->name) + 1] = "";

	memcpy(name, thread->name, sizeof(thread->name));
	json_add(object, "tid", thread->tid ? json_number(thread->tid) : NULL);
	json_add(object, "name", *name ? json_text(name) : NULL);
	json_add(object, "state",
		json_text(thread->state == SESSION_THREAD_STARTING ? "starting" : "running"));
	json_add(object, "own", json_object_new_boolean(thread->generation == generation));
	json_add(object, "owner", json_generation_name(session, thread->generation));
	json_add(object, "started", json_time(thread->started_ns));
	json_add(object, "start_routine",
		json_one_frame(leaks->names, session, thread->start, true));
	json_add(object, "created", json_place_stack(leaks, thread->place));
	json_add(object, "waited_for", json_object_new_boolean(thread->blocks == generation));
	json_add(object, "stack", json_text_stack(leaks, &stack));
	json_add(object, "cut", json_object_new_boolean(stack.cut));
	json_add(object, "module_frame",
		thread->module_frame < thread->stack_count ? json_number(thread->module_frame)
							   : NULL);
	return object;
}

static struct json_object *json_stay(const struct leaks *leaks, const struct session_stay *stay)
{
	const struct session *session = leaks->session;
	struct json_object *object = json_object_new_object(), *thread = NULL;
	bool has_symbol = stay->kind == SESSION_STAY_UNIQUE || stay->kind == SESSION_STAY_BOUND;
	char *text = stay_text(leaks, stay);

	if (stay->thread && session_thread(session, stay->thread)->state != SESSION_THREAD_FREE)
		thread = json_number(session_thread(session, stay->thread)->tid);
	json_add(object, "kind", json_text(stay_kind_name(stay->kind)));
	json_add(object, "text", json_text(text));
	json_add(object, "current", json_object_new_boolean(stay->current));
	json_add(object, "object", json_object_path(session, stay->object));
	json_add(object, "symbol",
		has_symbol && stay->text ? json_text(session_string(session, stay->text)) : NULL);
	json_add(object, "count", json_number(stay->count));
	json_add(object, "thread", thread);
	json_add(object, "stack",
		json_stack(leaks->names, session, stay->stack, stay->stack_count, false));
	free(text);
	return object;
}

static struct json_object *json_dangling(
	const struct leaks *leaks, const struct session_dangling *dangling)
{
	const struct session *session = leaks->session;
	struct json_object *object = json_object_new_object();
	uint32_t image = session_generation(session, dangling->generation)->object;
	bool in_memory = dangling->kind == SESSION_DANGLING_MEMORY;
	bool is_signal = dangling->kind == SESSION_DANGLING_SIGNAL;
	char *text = dangling_text(leaks, dangling),
	     *holder = dangling_holder_text(leaks, dangling);
	char *target = dangling_target_text(leaks, dangling), *name = NULL;

	if (is_signal)
		name = signal_text(dangling->number);
	json_add(object, "kind", json_text(dangling_kind_name(dangling->kind)));
	json_add(object, "text", json_text(text));
	json_add(object, "holder", json_text(holder));
	json_add(object, "target", json_text(target));
	json_add(object, "target_frame",
		json_one_frame(
			leaks->names, session, SESSION_FRAME(image, dangling->target), true));
	json_add(object, "count", json_number(dangling->count));
	json_add(object, "signal", json_text_or_null(name));
	json_add(object, "detail",
		dangling->text ? json_text(session_string(session, dangling->text)) : NULL);
	json_add(object, "taken_back", json_object_new_boolean(dangling->taken_back));
	json_add(object, "maybe_stale", json_object_new_boolean(dangling_may_be_stale(dangling)));
	json_add(object, "root", in_memory ? json_root(leaks, &dangling->root) : NULL);
	json_add(object, "set", json_place_stack(leaks, dangling->place));
	free(text);
	free(holder);
	free(target);
	free(name);
	return object;
}

static struct json_object *json_two(
	const char *first, uint64_t value, const char *second, uint64_t other)
{
	struct json_object *object = json_object_new_object();

	json_add(object, first, json_number(value));
	json_add(object, second, json_number(other));
	return object;
}

/* How it came to its unload, or why it did not. */
static void unloading_add(struct json_object *object, const struct session_generation *g)
{
	json_add(object, "closing",
		g->state == SESSION_LOADED ? json_text(closing_name(g->closing)) : NULL);
	json_add(object, "opens", json_number(g->opens));
	json_add(object, "closes", json_number(g->closes));
	json_add(object, "deferrals", json_number(g->deferrals));
	json_add(object, "refusals", json_number(g->refusals));
	json_add(object, "revivals", json_number(g->revivals));
	json_add(object, "finalized_early",
		json_object_new_boolean(!!(g->how & SESSION_FINALIZED_EARLY)));
	json_add(object, "timed_out", json_object_new_boolean(!!(g->how & SESSION_TIMED_OUT)));
	json_add(object, "guarded", json_object_new_boolean(!!(g->how & SESSION_GUARDED)));
	json_add(object, "check_us", json_number(g->check_ns / 1000));
	json_add(object, "thread_locals",
		json_two("run", g->locals_run, "dropped", g->locals_dropped));
	json_add(object, "keys",
		json_two("deleted", g->keys_deleted, "destructors_run", g->key_values_run));
	json_add(object, "taken_back", json_number(g->taken_back));
}

static void lists_add(struct json_object *object, const struct leaks *leaks, uint32_t generation)
{
	const struct leaks_generation *told = &leaks->generations[generation];
	const struct session *session = leaks->session;
	struct json_object *stays = json_object_new_array(), *threads = json_object_new_array();
	struct json_object *danglings = json_object_new_array();
	size_t i;

	for (i = 0; i < told->stays.count; i++)
		json_object_array_add(
			stays, json_stay(leaks, session_stay(session, told->stays.index[i])));
	for (i = 0; i < told->threads.count; i++)
		json_object_array_add(
			threads, json_thread(leaks, session_thread(session, told->threads.index[i]),
					 generation));
	for (i = 0; i < told->danglings.count; i++)
		json_object_array_add(danglings,
			json_dangling(leaks, session_dangling(session, told->danglings.index[i])));
	json_add(object, "balances", json_balances(leaks, told));
	json_add(object, "leftovers", json_leftovers(leaks, told));
	json_add(object, "stays", stays);
	json_add(object, "threads", threads);
	json_add(object, "dangling", danglings);
	json_add(object, "late_calls", json_notes(leaks, &told->late_calls));
	json_add(object, "timeouts", json_notes(leaks, &told->timeouts));
}

struct json_object *json_generation(const struct leaks *leaks, uint32_t index)
{
	static const char *const states[] = {"unknown", "loaded", "unloaded", "unloaded-blind"};
	const struct session *session = leaks->session;
	const struct session_generation *g = session_generation(session, index);
	struct json_object *object = json_object_new_object();

	json_add(object, "number", json_number(g->number));
	json_add(object, "state", json_text(g->state < 4 ? states[g->state] : "unknown"));
	json_add(object, "parent", json_generation_name(session, g->parent));
	json_add(object, "loaded", json_time(g->loaded_ns));
	json_add(object, "unloaded", json_time(g->unloaded_ns));
	json_add(object, "leaked", json_tally(tally_of(g->leaked_blocks, g->leaked_bytes)));
	json_add(object, "kept", json_tally(tally_of(g->kept_blocks, g->kept_bytes)));
	json_add(object, "runtime", json_tally(tally_of(g->runtime_blocks, g->runtime_bytes)));
	json_add(
		object, "reclaimed", json_tally(tally_of(g->reclaimed_blocks, g->reclaimed_bytes)));
	json_add(object, "stop", json_stop(session, g));
	unloading_add(object, g);
	lists_add(object, leaks, index);
	return object;
}
