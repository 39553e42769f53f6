/* SPDX-License-Identifier: MIT */
/* The schema is docs/json.md; what is here changes together with it. */
#include "cli/leaks-report.h"

#include "cli/json-balance.h"
#include "cli/json-generation.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static struct json_object *json_flags(uint32_t flags)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {
		{SESSION_NOT_INTERPOSED, "not-interposed"},
		{SESSION_FULL, "full"},
		{SESSION_FORKED, "forked"},
		{SESSION_HEAP_FULL, "heap-full"},
	};
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag)
			json_object_array_add(array, json_object_new_string(names[i].name));
	return array;
}

static struct json_object *json_residue(const struct leaks *leaks, uint32_t index)
{
	const struct session_residue *r = session_residue(leaks->session, index);
	struct json_object *object = json_object_new_object();

	json_add(object, "generation",
		json_number(session_generation(leaks->session, r->generation)->number));
	json_add(object, "allocated", json_tally(tally_of(r->alloc_blocks, r->alloc_bytes)));
	json_add(object, "leaked", json_tally(tally_of(r->leaked_blocks, r->leaked_bytes)));
	json_add(object, "kept", json_tally(tally_of(r->kept_blocks, r->kept_bytes)));
	json_add(object, "runtime", json_tally(tally_of(r->runtime_blocks, r->runtime_bytes)));
	json_add(
		object, "reclaimed", json_tally(tally_of(r->reclaimed_blocks, r->reclaimed_bytes)));
	json_add(object, "root", json_root(leaks, &r->root));
	return object;
}

static struct json_object *json_thread_counts(uint64_t started, uint64_t ended)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "started", json_number(started));
	json_add(object, "ended", json_number(ended));
	json_add(object, "running", json_number(started > ended ? started - ended : 0));
	return object;
}

static struct json_object *json_place(const struct leaks *leaks, const struct leaks_place *place)
{
	const struct session_place *record = place->record;
	const struct place_totals *totals = &place->totals;
	struct json_object *object = json_object_new_object(), *stack, *residues;
	size_t k;

	stack = json_stack(leaks->names, leaks->session, record->frame, record->frame_count, false);
	residues = json_object_new_array();
	for (k = 0; k < place->residues.count; k++)
		json_object_array_add(residues, json_residue(leaks, place->residues.index[k]));
	json_add(object, "id", json_number(place->index));
	json_add(object, "stack", stack);
	json_add(object, "cut", json_object_new_boolean(record->flags & SESSION_PLACE_CUT));
	json_add(object, "owner_frame", json_number(record->owner_frame));
	json_add(object, "allocated", json_tally(totals->allocated));
	json_add(object, "freed", json_tally(totals->freed));
	json_add(object, "live", json_tally(totals->live));
	json_add(object, "leaked", json_tally(totals->leaked));
	json_add(object, "reclaimed", json_tally(totals->reclaimed));
	json_add(object, "kept", json_tally(totals->kept));
	json_add(object, "runtime", json_tally(totals->runtime));
	json_add(object, "dropped", json_tally(totals->dropped));
	json_add(object, "late_frees", json_number(record->late_frees));
	json_add(object, "threads",
		json_thread_counts(record->threads_started, record->threads_ended));
	json_add(object, "residue", residues);
	return object;
}

static struct json_object *json_module(
	const struct leaks *leaks, const struct leaks_module *module, bool all)
{
	const struct session_object *record = session_object(leaks->session, module->object);
	const char *soname = session_string(leaks->session, record->soname);
	struct json_object *object = json_object_new_object(), *generations, *places;
	size_t i;

	generations = json_object_new_array();
	for (i = 0; i < module->generations.count; i++)
		json_object_array_add(generations,
			json_settled(json_generation(leaks, module->generations.index[i]), false));
	places = json_object_new_array();
	for (i = 0; i < module->place_count; i++)
		if (all || leaks_place_is_of_note(leaks, &module->places[i]))
			json_object_array_add(places, json_place(leaks, &module->places[i]));
	json_add(object, "path", json_text(session_string(leaks->session, record->path)));
	json_add(object, "soname", *soname ? json_text(soname) : NULL);
	json_add(object, "build_id",
		record->build_id_size ? json_bytes(record->build_id, record->build_id_size) : NULL);
	json_add(object, "content_hash",
		record->content_hash ? json_hex(record->content_hash) : NULL);
	json_add(object, "generations", generations);
	json_add(object, "live", json_tally(module->live));
	json_add(object, "threads",
		json_thread_counts(module->threads_started, module->threads_ended));
	json_add(object, "resources", json_resources(leaks, module->sums));
	json_add(object, "growth", json_growth(leaks, module->growth));
	json_add(object, "places", places);
	return object;
}

static struct json_object *json_totals(const struct leaks *leaks)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "leaked", json_tally(leaks->leaked));
	json_add(object, "kept", json_tally(leaks->kept));
	json_add(object, "runtime", json_tally(leaks->runtime));
	json_add(object, "dropped", json_tally(leaks->dropped));
	json_add(object, "reclaimed", json_tally(leaks->reclaimed));
	json_add(object, "not_unloaded", json_number(leaks->faults.not_unloaded));
	json_add(object, "threads_left", json_number(leaks->faults.threads_left));
	json_add(object, "late_calls", json_number(leaks->faults.late_calls));
	json_add(object, "timeouts", json_number(leaks->faults.timeouts));
	json_add(object, "dangling", json_number(leaks->faults.dangling));
	json_add(object, "left", json_left(leaks));
	json_add(object, "things_left", json_number(leaks->faults.things));
	json_add(object, "changes_left", json_number(leaks->faults.changes));
	return object;
}

static struct json_object *json_policy(uint32_t policy, const char *const *names, uint32_t count)
{
	return json_text(policy < count ? names[policy] : "unknown");
}

static struct json_object *json_session(const struct leaks *leaks, bool all)
{
	const struct session *session = leaks->session;
	const struct session_header *header = session->header;
	static const char *const leaks_policies[] = {"free", "report", "off"};
	static const char *const threads_policies[] = {"defer", "refuse"};
	static const char *const fds_policies[] = {"report", "close"};
	static const char *const names_policies[] = {"report", "remove"};
	struct json_object *object = json_object_new_object(), *modules, *notes;
	uint64_t i;

	modules = json_object_new_array();
	for (i = 0; i < leaks->module_count; i++)
		json_object_array_add(modules, json_module(leaks, &leaks->modules[i], all));
	notes = json_object_new_array();
	for (i = 1; i < session->count[SESSION_NOTES]; i++)
		json_object_array_add(notes, json_note(leaks, session_note(session, i)));
	json_add(object, "session", json_text(session->path));
	json_add(object, "pid", json_object_new_int(header->pid));
	json_add(object, "parent_pid",
		header->parent_pid ? json_object_new_int(header->parent_pid) : NULL);
	json_add(object, "host",
		header->host_object ? json_text(session_object_path(session, header->host_object))
				    : NULL);
	json_add(object, "command", json_text(session_string(session, header->command_line)));
	json_add(object, "state", json_text(life_name(session_life(header))));
	json_add(object, "started", json_time(header->started_ns));
	json_add(object, "ended", json_time(header->ended_ns));
	json_add(object, "flags", json_flags(header->flags));
	json_add(object, "leaks_policy", json_policy(header->leaks_policy, leaks_policies, 3));
	json_add(
		object, "threads_policy", json_policy(header->threads_policy, threads_policies, 2));
	json_add(object, "fds_policy", json_policy(header->fds_policy, fds_policies, 2));
	json_add(object, "names_policy", json_policy(header->names_policy, names_policies, 2));
	json_add(object, "unload_timeout_ms", json_number(header->timeout_ms));
	json_add(object, "modules", modules);
	json_add(object, "notes", notes);
	json_add(object, "totals", json_totals(leaks));
	return object;
}

void report_write_json(const struct report *report, FILE *out)
{
	struct json_object *object = json_object_new_object(), *sessions = json_object_new_array();
	size_t i;

	json_add(object, "schema", json_text("relib-leaks"));
	json_add(object, "version", json_object_new_int(1));
	for (i = 0; i < report->count; i++)
		json_object_array_add(sessions, json_session(report->leaks[i], report->all));
	json_add(object, "sessions", sessions);
	json_write(object, out);
	json_object_put(object);
}
