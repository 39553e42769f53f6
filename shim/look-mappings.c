/* SPDX-License-Identifier: MIT */
#include "shim/look-mappings.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "shim/balances.h"
#include "shim/generation.h"
#include "shim/look-images.h"
#include "shim/look-ranges.h"
#include "shim/mapped-record.h"
#include "shim/mappings.h"
#include "shim/settings.h"
#include "shim/signal-stacks.h"
#include "shim/sorted.h"
#include "shim/sys.h"

#define PARTS_MORE 65536u /* as many mappings as a process can have, unless told otherwise */

/* An interval; of: its candidate, NULL: reported long ago, and neither read nor looked for. */
struct piece {
	uintptr_t start, end;
	struct look_mapping *of;
};

/* What of a piece can be read. */
struct part {
	uintptr_t start, end;
	uint32_t next;
	bool shared;
};

/* One look at a time. */
static struct {
	uintptr_t handlers[NSIG];
	struct look_mapping *mappings;
	size_t count;
	struct piece *pieces; /* sorted */
	size_t piece_count, size;
	struct part *parts;
	size_t part_count, part_size;
	bool parts_full;
	struct scan_range near, far;
} work;

/* Where signals are handled: a mapping may hold code that was made there. */
static void handlers_ask(void)
{
	uintptr_t action[8]; /* the kernel's: the handler comes first */

	for (int signal = 1; signal < NSIG; signal++) {
		work.handlers[signal] = 0;
		if (!sys_call6(SYS_rt_sigaction, signal, 0, action, 8, 0, 0))
			work.handlers[signal] = action[0];
	}
}

void look_mappings_begin(void)
{
	memset(&work, 0, sizeof(work));
	if (!mappings.count)
		return;
	mappings_note_growth();
	handlers_ask();
}

static bool is_candidate(const struct mapped *mapped)
{
	return mapped->generation &&
	       generation_at(mapped->generation)->state >= GENERATION_LOOKED_AT;
}

static struct look_mapping *mapping_of(struct mapped *mapped, uintptr_t start)
{
	struct look_mapping *mapping = work.mappings + mapped->look;

	if (mapped->look < work.count && mapping->mapped == mapped)
		return mapping;
	mapped->look = (uint32_t)work.count;
	mapping = &work.mappings[work.count++];
	*mapping =
		(struct look_mapping){.mapped = mapped, .number = mapped->number, .start = start};
	return mapping;
}

static void piece_visit(struct interval *interval, void *data)
{
	struct mapped *mapped = interval->of;
	struct look_mapping *mapping;

	if ((mapped->generation && !is_candidate(mapped)) || work.piece_count == work.size)
		return;
	mapping = mapped->generation ? mapping_of(mapped, interval->start) : NULL;
	work.pieces[work.piece_count++] = (struct piece){interval->start, interval->end, mapping};
	if (!mapping)
		return;
	mapping->end = interval->end;
	mapping->bytes += interval->end - interval->start;
}

/* False: there is no memory. */
static bool pieces_make(bool stopped)
{
	work.size = __atomic_load_n(&mappings.count, __ATOMIC_RELAXED);
	if (!work.size)
		return true;
	work.mappings = look_ranges_scratch(work.size * sizeof(*work.mappings));
	work.pieces = look_ranges_scratch(work.size * sizeof(*work.pieces));
	if (!work.mappings || !work.pieces)
		return false;
	mappings_each(stopped, piece_visit, NULL);
	return true;
}

struct look_mapping *look_mappings_at(uintptr_t address)
{
	size_t from = SORTED_COUNT(work.piece_count, i, work.pieces[i].end <= address);
	return from < work.piece_count && work.pieces[from].start <= address ? work.pieces[from].of
									     : NULL;
}

static void pin(uintptr_t address, const char *why, const struct scan_place *place)
{
	struct look_mapping *mapping = look_mappings_at(address);

	if (!mapping || mapping->reached)
		return;
	mapping->reached = true;
	mapping->why = why;
	if (place)
		mapping->reference =
			(struct look_reference){.referrer = LOOK_MEMORY, .root = *place};
}

static void pin_signal_stack(uintptr_t start, int tid)
{
	const struct scan_place place = {.kind = SCAN_THREAD, .tid = tid};

	pin(start, "it is a signal stack", &place);
}

static void pin_all(const struct world *world)
{
	for (size_t i = 0; i < world->thread_count; i++) {
		const struct world_thread *thread = &world->threads[i];
		const struct scan_place place = {
			.kind = SCAN_STACK,
			.address = thread->sp,
			.tid = thread->tid,
			.sp = thread->sp,
		};

		pin(thread->sp, NULL, &place);
		pin(thread->tp, NULL, &place);
	}
	signal_stacks_each(pin_signal_stack);
	for (int signal = 1; signal < NSIG; signal++)
		pin(work.handlers[signal], "a signal is handled there", NULL);
}

bool look_mappings_make(const struct world *world)
{
	uintptr_t base, size;

	if (mappings_distrusted)
		return true;
	if (!pieces_make(true))
		return false;
	if (!work.piece_count)
		return true;
	work.part_size = PARTS_MORE + work.piece_count;
	work.parts = look_ranges_scratch(work.part_size * sizeof(*work.parts));
	if (!work.parts)
		return false;
	look_images_range(&base, &size);
	work.near = (struct scan_range){base, base + size};
	for (size_t i = 0; i < work.count; i++)
		if (!look_ranges_widen(&work.near, work.mappings[i].start, work.mappings[i].end) &&
			!look_ranges_widen(&work.far, work.mappings[i].start, work.mappings[i].end))
			work.mappings[i].why =
				"it is too large, or too far from others, to look for";
	pin_all(world);
	return true;
}

size_t look_mappings_count(void)
{
	return work.count;
}

void look_mappings_range(struct scan *scan)
{
	scan->other_base = work.near.start;
	scan->other_size = work.near.end - work.near.start;
	scan->far_base = work.far.start;
	scan->far_size = work.far.end - work.far.start;
}

size_t look_mappings_excluded(struct scan_range *to)
{
	size_t count = 0;

	for (size_t i = 0; i < work.piece_count; i++) {
		const struct piece *piece = &work.pieces[i];

		if (piece->of && (piece->of->reached || piece->of->why))
			continue;
		if (to)
			to[count] = (struct scan_range){piece->start, piece->end};
		count++;
	}
	return count;
}

static void part_add(struct look_mapping *mapping, uintptr_t start, uintptr_t end, bool shared)
{
	if (work.part_count == work.part_size) {
		work.parts_full = true;
		return;
	}
	work.parts[work.part_count++] = (struct part){start, end, mapping->part, shared};
	mapping->part = (uint32_t)work.part_count;
}

void look_mappings_left_out(uintptr_t start, uintptr_t end, bool shared)
{
	size_t at = SORTED_COUNT(work.piece_count, i, work.pieces[i].end <= start);
	for (; at < work.piece_count && work.pieces[at].start < end; at++) {
		const struct piece *piece = &work.pieces[at];
		uintptr_t from = piece->start > start ? piece->start : start;
		uintptr_t to = piece->end < end ? piece->end : end;

		look_images_mapped(from, to);
		if (piece->of)
			part_add(piece->of, from, to, shared);
	}
}

uint32_t look_mapping_place(const struct look_mapping *mapping)
{
	return balance_at(mapping->mapped->balance)->place;
}

void look_mapping_read(const struct look_mapping *mapping, struct scan *scan)
{
	if (work.parts_full)
		scan->error = ENOMEM;
	for (uint32_t at = mapping->part; at; at = work.parts[at - 1].next) {
		const struct part *part = &work.parts[at - 1];
		struct scan_place place = {
			.kind = part->shared ? SCAN_MAPPING_SHARED : SCAN_MAPPING_PRIVATE,
			.start = mapping->start,
			.end = mapping->end,
		};

		scan_stretch(scan, part->start, part->end, &place);
	}
}

/* What the look found of one. */
static void mapping_settle(struct look_mapping *mapping, bool done, const char *why)
{
	if (mapping->gone)
		mapped_was_gone(mapping);
	else if (done && mapping->reached)
		mapped_kept(mapping);
	else if (done && !mapping->why && settings.leaks == SESSION_LEAKS_FREE)
		mapped_take_back(mapping);
	else
		mapped_left(mapping, mapping->why ? mapping->why : why,
			settings.leaks != SESSION_LEAKS_OFF && (!done || mapping->why));
}

void look_mappings_end(bool done, const char *why)
{
	/* nothing was looked at, or a thread was stopped in the middle of a call */
	if (!work.piece_count && mappings.count) {
		if (done)
			why = mappings_distrusted ? "it is not known any more what was unmapped"
						  : "another thread was mapping memory";
		done = false;
		pieces_make(false);
	}
	if (!done && !why)
		why = "the world could not be stopped";
	if (work.count)
		mapped_describe(work.mappings, work.count);
	for (size_t i = 0; i < work.count; i++)
		mapping_settle(&work.mappings[i], done, why);
	if (work.mappings)
		sys_unmap(work.mappings, work.size * sizeof(*work.mappings));
	if (work.pieces)
		sys_unmap(work.pieces, work.size * sizeof(*work.pieces));
	if (work.parts)
		sys_unmap(work.parts, work.part_size * sizeof(*work.parts));
	memset(&work, 0, sizeof(work));
}

static void use_visit(struct interval *interval, void *data)
{
	const struct mapped *mapped = interval->of;
	bool *some = data;

	if (!is_candidate(mapped))
		return;
	generation_at(mapped->generation)->used = true;
	*some = true;
}

bool look_mappings_use(bool *some)
{
	return !mappings.count || mappings_each(false, use_visit, some);
}
