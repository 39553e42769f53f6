/* SPDX-License-Identifier: MIT */
#include "cli/verdict.h"

#include "cli/balance.h"
#include "cli/resources.h"
#include "cli/text-leftover.h"
#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

/* The innermost frame in the module itself; if there is none, the one that made it the owner. */
static uint64_t place_frame(const struct session *session, const struct session_place *place)
{
	uint64_t frame;
	uint32_t i;

	for (i = 0; i < place->frame_count; i++) {
		frame = session_frame(session, place->frame + i);
		if (SESSION_FRAME_OBJECT(frame) == place->object)
			return frame;
	}
	i = place->owner_frame < place->frame_count ? place->owner_frame : 0;
	return session_frame(session, place->frame + i);
}

/* Two stacks that end in one line are one place. */
struct cause *plugin_cause_at(struct plugin_verdict *plugin, const char *kind,
	const struct leaks *leaks, const struct leaks_module *module, uint32_t index,
	const char *key)
{
	const char *name = names_object(leaks->names, module->object);
	const struct session_place *place = index ? session_place(leaks->session, index) : NULL;
	const struct symbol_frame *symbol;
	char *text, *whole;
	struct cause *cause;
	uint64_t frame;

	if (!place || !place->frame_count) {
		cause = plugin_cause(plugin, kind, name, key);
		cause->cycles = module->generations.count;
		return cause;
	}
	frame = place_frame(leaks->session, place);
	text = names_line(leaks->names, frame, place->object);
	whole = text_format("%s\n%s", text, key);
	cause = plugin_cause(plugin, kind, name, whole);
	free(whole);
	if (cause->place) {
		free(text);
		return cause;
	}
	symbol = &names_code(leaks->names, frame)->symbols[0];
	cause->place = text;
	cause->function = symbol->function ? text_copy(symbol->function) : NULL;
	cause->file = symbol->file ? text_copy(symbol->file) : NULL;
	cause->line = symbol->line;
	cause->cycles = module->generations.count;
	return cause;
}

/* Without what differs from run to run: addresses and thread numbers. */
static char *holder_text(const struct leaks *leaks, const struct session_root *root)
{
	char *name, *text;

	switch (root->kind) {
	case SESSION_ROOT_NONE:
		return NULL;
	case SESSION_ROOT_HEAP:
		return text_copy("held by the host's heap");
	case SESSION_ROOT_STACK:
		return text_copy("held by a thread's stack");
	case SESSION_ROOT_REGISTER:
		return text_copy("held by a register");
	case SESSION_ROOT_THREAD:
		return text_copy("held by thread-specific data");
	case SESSION_ROOT_MAPPING:
		return text_copy("held by a shared mapping");
	default:
		name = names_root(leaks->names, leaks->session, root);
		text = text_format("held by %s", name);
		free(name);
		return text;
	}
}

static void judge_residue(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct session_residue *residue = session_residue(leaks->session, index);
	uint32_t number = session_generation(leaks->session, residue->generation)->number;
	struct tally leaked = tally_of(residue->leaked_blocks, residue->leaked_bytes);
	struct tally kept = tally_of(residue->kept_blocks, residue->kept_bytes);
	struct tally reclaimed = tally_of(residue->reclaimed_blocks, residue->reclaimed_bytes);
	struct tally dropped = tally_less(reclaimed, leaked);
	struct cause *cause;

	if (leaked.blocks)
		cause_count_add(
			plugin_cause_at(plugin, "leaked", leaks, module, residue->place, ""),
			number, leaked);
	if (dropped.blocks) {
		cause = plugin_cause_at(plugin, "dropped", leaks, module, residue->place, "");
		cause_count_add(cause, number, dropped);
		cause_detail(cause, text_copy("nothing refers to what was held at first"));
	}
	if (kept.blocks) {
		cause = plugin_cause_at(plugin, "kept", leaks, module, residue->place, "");
		cause_count_add(cause, number, kept);
		cause_detail(cause, holder_text(leaks, &residue->root));
	}
}

/* --- what else was left ------------------------------------------------------ */

/* The first thing that was left of a balance. */
static char *leftover_detail(
	const struct leaks *leaks, const struct leaks_generation *told, uint32_t balance)
{
	const struct session_leftover *leftover;
	char *text, *holder, *whole;
	size_t i;

	for (i = 0; i < told->leftovers.count; i++) {
		leftover = session_leftover(leaks->session, told->leftovers.index[i]);
		if (leftover->balance != balance || leftover->state == SESSION_GIVEN_BACK)
			continue;
		text = leftover->text ? leftover_text(leaks, leftover, false) : NULL;
		holder = leftover->state == SESSION_KEPT ? holder_text(leaks, &leftover->root)
							 : NULL;
		if (!text || !holder)
			return text ? text : holder;
		whole = text_format("%s, %s", text, holder);
		free(text);
		free(holder);
		return whole;
	}
	return NULL;
}

/* What the host gave back after the unload had been handed over to it. */
static void judge_balance(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct session_balance *balance = session_balance(leaks->session, index);
	struct balance_sum sum = {0};
	struct cause *cause;
	struct tally left;

	balance_add(leaks, &sum, balance);
	left = balance_residue(&sum);
	if (!left.blocks)
		return;
	cause = plugin_cause_at(
		plugin, resource_kind(balance->kind)->name, leaks, module, balance->place, "");
	cause_count_add(
		cause, session_generation(leaks->session, balance->generation)->number, left);
	cause_detail(
		cause, leftover_detail(leaks, &leaks->generations[balance->generation], index));
}

static void judge_generation(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module, uint32_t index)
{
	const struct session_generation *generation = session_generation(leaks->session, index);
	const struct index_list *balances = &leaks->generations[index].balances;
	struct cause *cause;
	char *reason;
	size_t i;

	for (i = 0; i < balances->count; i++)
		judge_balance(plugin, leaks, module, balances->index[i]);
	if (generation->keys_deleted)
		cause_count_add(plugin_cause_at(plugin, "key", leaks, module, 0, ""),
			generation->number, tally_of(generation->keys_deleted, 0));
	if (generation->state != SESSION_UNLOADED_BLIND ||
		leaks->session->header->leaks_policy == SESSION_LEAKS_OFF)
		return;
	reason = stop_reason(leaks->session, generation);
	cause = plugin_cause_at(plugin, "not-seen", leaks, module, 0, reason);
	cause_detail(cause, reason);
}

static void judge_module(
	struct plugin_verdict *plugin, const struct leaks *leaks, const struct leaks_module *module)
{
	size_t i, k;

	for (i = 0; i < module->place_count; i++)
		for (k = 0; k < module->places[i].residues.count; k++)
			judge_residue(plugin, leaks, module, module->places[i].residues.index[k]);
	for (i = 0; i < module->generations.count; i++)
		judge_generation(plugin, leaks, module, module->generations.index[i]);
	plugin_judge_unloading(plugin, leaks, module);
}

/* --- whether what had to be seen was seen ------------------------------------ */

static void judge_sight(struct plugin_verdict *plugin, const struct session_header *header)
{
	static const struct {
		uint32_t flag;
		const char *words;
	} blind[] = {
		{SESSION_NOT_INTERPOSED, "the host brings its own malloc"},
		{SESSION_FULL, "the session was full, what came later is not recorded"},
		{SESSION_HEAP_FULL, "the module heap was full, some blocks went untracked"},
	};
	size_t i;

	if (header->leaks_policy == SESSION_LEAKS_OFF) {
		plugin_skip(plugin, CHECK_MEMORY, "leaks are off");
		plugin_skip(plugin, CHECK_KEPT, "leaks are off");
		return;
	}
	for (i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		if (header->flags & blind[i].flag)
			cause_detail(plugin_cause(plugin, "not-seen", NULL, blind[i].words),
				text_copy(blind[i].words));
}

/* Of the plugin itself, in the process where they were most. */
static void loads_count(struct plugin_verdict *plugin, const struct leaks *leaks)
{
	const struct session_generation *generation;
	size_t i, loads = 0, closes = 0;

	for (i = 1; i < leaks->session->count[SESSION_GENERATIONS]; i++) {
		generation = session_generation(leaks->session, i);
		if (strcmp(names_object(leaks->names, generation->object), plugin->module) != 0)
			continue;
		loads++;
		closes += generation->state != SESSION_LOADED || generation_is_stuck(generation);
	}
	if (loads > plugin->loads) {
		plugin->loads = loads;
		plugin->closes = closes;
	}
}

void plugin_judge_sessions(struct plugin_verdict *plugin, const struct report *report)
{
	const struct leaks *leaks;
	size_t i, k;

	for (i = 0; i < report->count; i++) {
		leaks = report->leaks[i];
		loads_count(plugin, leaks);
		judge_sight(plugin, leaks->session->header);
		for (k = 0; k < leaks->module_count; k++)
			judge_module(plugin, leaks, &leaks->modules[k]);
		plugin_judge_notes(plugin, leaks);
	}
}
