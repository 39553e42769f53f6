/* SPDX-License-Identifier: MIT */
#include "shim/mapped-record.h"

#include "shim/balances.h"
#include "shim/ledger.h"
#include "shim/look-mappings.h"
#include "shim/mappings.h"
#include "shim/maps.h"
#include "shim/roots.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/sys.h"
#include "shim/text.h"

#define LINES_SIZE 65536u

static uint32_t text_of(const struct mapped *mapped, const struct mapping *stretch)
{
	char room[4096];
	struct text text = text_in(room, sizeof(room));

	if (mapped->kind == SESSION_SEGMENT) {
		text_add(&text, "shared memory segment ");
		text_number(&text, (uint64_t)mapped->segment, 10, 1);
	} else if (!stretch->file) {
		text_add(&text, "anonymous");
	} else {
		text_add_n(&text, stretch->path, stretch->path_length);
		if (stretch->offset) {
			text_add(&text, " at ");
			text_hex(&text, stretch->offset);
		}
	}
	return ledger_text(room);
}

/* The first stretch of the process's memory that lies in it says what it is. */
static void describe(struct look_mapping *mapping, const struct mapping *stretch)
{
	const struct session_balance *balance = balance_at(mapping->mapped->balance);

	mapping->gone = false;
	if (!mapping->mapped->recorded && balance->leftovers < SESSION_LEFTOVERS_MOST)
		mapping->text = text_of(mapping->mapped, stretch);
}

void mapped_describe(struct look_mapping *list, size_t count)
{
	char *lines = sys_map(LINES_SIZE, PROT_READ | PROT_WRITE);
	struct mapping stretch;
	struct maps maps;
	size_t at = 0;

	if (!lines)
		return;
	for (size_t i = 0; i < count; i++)
		list[i].gone = true;
	if (maps_open(&maps, lines, LINES_SIZE)) {
		while (at < count && maps_next(&maps, &stretch)) {
			while (at < count && list[at].end <= stretch.start)
				at++;
			for (size_t i = at; i < count && list[i].start < stretch.end; i++)
				if (list[i].gone && list[i].end > stretch.start)
					describe(&list[i], &stretch);
		}
		maps_close(&maps);
	}
	for (size_t i = 0; maps.error && i < count; i++)
		list[i].gone = false;
	sys_unmap(lines, LINES_SIZE);
}

void mapped_was_gone(const struct look_mapping *mapping)
{
	uint32_t balance = mapping->mapped->balance, leftover = mapping->mapped->leftover;
	struct interval *taken = mappings_take_all(mapping->mapped, mapping->number);
	bool recorded = mapping->mapped->recorded;
	uint64_t bytes;

	if (!taken)
		return;
	bytes = mappings_gone_uncounted(taken);
	if (recorded)
		balance_give_back(balance, 1, bytes);
	else
		balance_give_back_before(balance, 1, bytes);
	leftover_state(leftover, SESSION_GIVEN_BACK);
}

static struct session_leftover leftover_of(
	const struct look_mapping *mapping, enum session_leftover_state state)
{
	const struct look_reference *reference = &mapping->reference;

	return (struct session_leftover){
		.balance = mapping->mapped->balance,
		.state = state,
		.number = mapping->start,
		.bytes = mapping->bytes,
		.text = mapping->text,
		.root = root_record(reference->referrer, reference->referrer_place,
			reference->referrer_offset, &reference->root),
	};
}

/* Changes what is recorded already. */
static void leftover_again(uint32_t leftover, const struct session_leftover *now, const char *why)
{
	struct session_leftover *record;

	if (!leftover)
		return;
	record = session_record(SESSION_LEFTOVERS, leftover);
	record->root = now->root;
	record->why = why ? ledger_text(why) : 0;
	leftover_state(leftover, now->state);
}

static void record(const struct look_mapping *mapping, enum session_leftover_state state,
	const char *why, bool again)
{
	struct session_leftover now = leftover_of(mapping, state);
	struct mapped *mapped = mapping->mapped;
	uint32_t leftover = mapped->leftover;

	if (mapped->recorded)
		leftover_again(leftover, &now, why);
	else
		leftover = leftover_add(&now, NULL, why);
	if (!mapped_note(mapped, mapping->number, leftover, again))
		leftover_state(leftover, SESSION_GIVEN_BACK);
}

void mapped_kept(const struct look_mapping *mapping)
{
	record(mapping, SESSION_KEPT, mapping->why, true);
}

void mapped_left(const struct look_mapping *mapping, const char *why, bool again)
{
	record(mapping, SESSION_LEFT, settings.leaks == SESSION_LEAKS_FREE ? why : NULL, again);
}

/* Those that could be unmapped; *left: the others. */
static struct interval *unmap(struct interval *taken, struct interval **left)
{
	struct interval *done = NULL, **end = &done;

	while (taken) {
		struct interval *next = taken->right;

		taken->right = NULL;
		if (sys_unmap((void *)taken->start, taken->end - taken->start)) {
			*left = taken;
			left = &taken->right;
		} else {
			*end = taken;
			end = &taken->right;
		}
		taken = next;
	}
	return done;
}

void mapped_take_back(const struct look_mapping *mapping)
{
	struct session_leftover now = leftover_of(mapping, SESSION_TAKEN_BACK);
	struct interval *taken = mappings_take_all(mapping->mapped, mapping->number), *left = NULL;
	uint32_t leftover = mapping->mapped->leftover;
	bool recorded = mapping->mapped->recorded;
	uint64_t bytes;

	if (!taken)
		return; /* unmapped meanwhile */
	taken = unmap(taken, &left);
	mappings_restore(left);
	bytes = mappings_gone_uncounted(taken);
	if (left) {
		balance_take_back(now.balance, 0, bytes);
		mapped_left(mapping, "the kernel refuses to unmap it", true);
	} else if (recorded) {
		balance_take_back(now.balance, 1, bytes);
		leftover_again(leftover, &now, NULL);
	} else {
		now.bytes = bytes;
		leftover_add(&now, NULL, NULL);
	}
}
