/* SPDX-License-Identifier: MIT */
#include "shim/mappings.h"

#include <errno.h>

#include "shim/arena.h"
#include "shim/balances.h"
#include "shim/generation.h"
#include "shim/lock.h"
#include "shim/maps.h"
#include "shim/thread.h"

#define PAGE ((uintptr_t)4096)

struct intervals mappings;
uintptr_t mappings_low, mappings_high;
bool mappings_distrusted;

static struct lock mappings_lock;
static struct mapped *spare;
static uint64_t numbers;
static size_t growing;

static bool table_take(void)
{
	return !thread_self.vforked && lock_take(&mappings_lock);
}

static void table_give(void)
{
	lock_give(&mappings_lock);
}

static struct mapped *mapped_make(const struct mapping_call *call, uintptr_t start, size_t length)
{
	struct mapped *mapped = spare;

	if (mapped)
		spare = mapped->next;
	else
		mapped = arena_take(sizeof(*mapped));
	if (!mapped)
		return NULL;
	*mapped = (struct mapped){
		.number = ++numbers,
		.start = start,
		.end = start + length,
		.bytes = length,
		.generation = call->origin.generation,
		.kind = call->kind,
		.grows = call->grows,
		.segment = call->segment,
	};
	growing += call->grows;
	return mapped;
}

static void mapped_drop(struct mapped *mapped)
{
	growing -= mapped->grows;
	mapped->number = 0;
	mapped->next = spare;
	spare = mapped;
}

static bool piece_add(uintptr_t start, uintptr_t end, struct mapped *mapped)
{
	if (!mappings.count || start < mappings_low)
		__atomic_store_n(&mappings_low, start, __ATOMIC_RELAXED);
	if (!mappings.count || end > mappings_high)
		__atomic_store_n(&mappings_high, end, __ATOMIC_RELAXED);
	if (start < mapped->start)
		mapped->start = start;
	if (end > mapped->end)
		mapped->end = end;
	return intervals_add(&mappings, start, end, mapped);
}

/* Counted, or not; under the lock.  Returns the bytes. */
static uint64_t pieces_end(struct interval *list, bool counted)
{
	uint64_t bytes = 0;

	for (const struct interval *piece = list; piece; piece = piece->right) {
		struct mapped *mapped = piece->of;
		uint64_t size = piece->end - piece->start;
		bool last = mapped->bytes <= size;

		bytes += size;
		mapped->bytes -= last ? mapped->bytes : size;
		if (counted)
			balance_give_back(mapped->balance, last, size);
		if (!last)
			continue;
		if (counted)
			leftover_state(mapped->leftover, SESSION_GIVEN_BACK);
		mapped_drop(mapped);
	}
	intervals_drop(list);
	return bytes;
}

/* Whatever was there is there no more. */
static void range_end(uintptr_t start, size_t length)
{
	struct interval *list;

	if (mappings_touch(start, length)) {
		list = intervals_cut(&mappings, start, start + length);
		pieces_end(list, true);
	}
}

/* Under the lock.  balance: of the call's origin, counted already. */
static void mapped_enter(
	const struct mapping_call *call, uint32_t balance, uintptr_t start, size_t length)
{
	struct mapped *mapped = balance ? mapped_make(call, start, length) : NULL;

	if (mapped) {
		mapped->balance = balance;
		if (piece_add(start, start + length, mapped))
			return;
		mapped_drop(mapped);
	}
	/* nobody would learn that it is given back */
	if (balance)
		balance_give_back(balance, 1, length);
}

void mapping_made(const struct mapping_call *call, uintptr_t start, size_t length)
{
	uint32_t balance = 0;
	int saved = errno;

	if (call->origin.place)
		balance = balance_acquire(call->origin, call->kind, length);
	if (!balance && !mappings_touch(start, length))
		return;
	thread_self.inside++;
	if (table_take()) {
		range_end(start, length);
		mapped_enter(call, balance, start, length);
		table_give();
	} else {
		mappings_distrusted |= mappings_touch(start, length);
		if (balance)
			balance_give_back(balance, 1, length);
	}
	thread_self.inside--;
	errno = saved;
}

/* The kernel will refuse it: nothing is parted for that. */
static bool is_refused(uintptr_t start, size_t length)
{
	return start & (PAGE - 1) || !length || start + length < start;
}

struct interval *mappings_take(uintptr_t start, size_t length)
{
	struct interval *taken = NULL;
	int saved = errno;

	if (!mappings_touch(start, length) || is_refused(start, length))
		return NULL;
	if (table_take()) {
		taken = intervals_cut(&mappings, start, start + length);
		table_give();
	} else {
		mappings_distrusted = true;
	}
	errno = saved;
	return taken;
}

/* Under the lock: all that is left of one. */
static struct interval *pieces_take(const struct mapped *mapped)
{
	struct interval *taken = NULL, **end = &taken, *piece;

	for (uintptr_t at = mapped->start; (piece = intervals_from(&mappings, at)) != NULL;) {
		if (piece->start >= mapped->end)
			break;
		at = piece->end;
		if (piece->of != mapped)
			continue;
		*end = intervals_cut(&mappings, piece->start, piece->end);
		end = &(*end)->right;
	}
	return taken;
}

struct interval *mappings_take_segment(uintptr_t start)
{
	struct interval *taken = NULL, *piece;
	int saved = errno;

	if (!mappings_touch(start, 1))
		return NULL;
	if (table_take()) {
		piece = intervals_from(&mappings, start);
		if (piece && piece->start == start &&
			((struct mapped *)piece->of)->kind == SESSION_SEGMENT)
			taken = pieces_take(piece->of);
		table_give();
	} else {
		mappings_distrusted = true;
	}
	errno = saved;
	return taken;
}

struct interval *mappings_take_all(struct mapped *mapped, uint64_t number)
{
	struct interval *taken = NULL;

	if (!table_take())
		return NULL;
	if (mapped->number == number)
		taken = pieces_take(mapped);
	table_give();
	return taken;
}

void mappings_gone(struct interval *taken)
{
	int saved = errno;

	if (taken && table_take()) {
		pieces_end(taken, true);
		table_give();
	}
	errno = saved;
}

uint64_t mappings_gone_uncounted(struct interval *taken)
{
	uint64_t bytes = 0;

	if (taken && table_take()) {
		bytes = pieces_end(taken, false);
		table_give();
	}
	return bytes;
}

void mappings_restore(struct interval *taken)
{
	int saved = errno;

	if (taken && table_take()) {
		while (taken) {
			struct interval was = *taken;

			/* the range of all may be smaller than it was; its memory is used again */
			taken->right = NULL;
			intervals_drop(taken);
			piece_add(was.start, was.end, was.of);
			taken = was.right;
		}
		table_give();
	}
	errno = saved;
}

bool mapped_note(struct mapped *mapped, uint64_t number, uint32_t leftover, bool again)
{
	bool there;

	if (!table_take())
		return true;
	there = mapped->number == number;
	if (there) {
		mapped->recorded = true;
		mapped->leftover = leftover;
		if (!again)
			mapped->generation = 0;
	}
	table_give();
	return there;
}

/* The call resizes all that it moves, and owns it. */
static bool is_resized(
	const struct mapping_call *call, const struct interval *taken, uintptr_t old, size_t length)
{
	const struct mapped *mapped = taken ? taken->of : NULL;

	return mapped && call->origin.place && !taken->right && taken->start == old &&
	       taken->end == old + length &&
	       balance_at(mapped->balance)->generation ==
		       generation_at(call->origin.generation)->record;
}

/* Under the lock. */
static void piece_resize(struct interval *piece, uintptr_t start, size_t length)
{
	struct mapped *mapped = piece->of;
	size_t was = piece->end - piece->start;

	range_end(start, length);
	if (!piece_add(start, start + length, mapped)) {
		pieces_end(piece, true);
		return;
	}
	intervals_drop(piece);
	mapped->bytes = mapped->bytes - was + length;
	if (length > was)
		balance_grow(mapped->balance, length - was);
	else
		balance_give_back(mapped->balance, 0, was - length);
}

void mapping_moved(const struct mapping_call *call, struct interval *taken, uintptr_t old,
	size_t length, uintptr_t start, size_t new_length, bool kept)
{
	int saved = errno;

	if (kept || !is_resized(call, taken, old, length)) {
		if (kept)
			mappings_restore(taken);
		else
			mappings_gone(taken);
		mapping_made(call, start, new_length);
	} else if (table_take()) {
		piece_resize(taken, start, new_length);
		table_give();
	}
	errno = saved;
}

/* The one that the stretch of memory is, or NULL. */
static struct interval *growing_at(const struct mapping *stretch)
{
	struct interval *piece = intervals_from(&mappings, stretch->start);

	return piece && piece->start < stretch->end && piece->start > stretch->start &&
			       ((struct mapped *)piece->of)->grows
		       ? piece
		       : NULL;
}

static void stretch_note(const struct mapping *stretch)
{
	struct interval *piece;
	struct mapped *mapped;
	size_t more;

	if (!table_take())
		return;
	piece = growing_at(stretch);
	if (piece) {
		mapped = piece->of;
		more = piece->start - stretch->start;
		if (piece_add(stretch->start, piece->start, mapped)) {
			mapped->bytes += more;
			balance_grow(mapped->balance, more);
		}
	}
	table_give();
}

void mappings_note_growth(void)
{
	static char lines[16384];
	struct mapping stretch;
	struct maps maps;

	if (!growing || !maps_open(&maps, lines, sizeof(lines)))
		return;
	while (maps_next(&maps, &stretch))
		stretch_note(&stretch);
	maps_close(&maps);
}

bool mappings_each(bool stopped, void (*visit)(struct interval *interval, void *data), void *data)
{
	if (stopped ? mappings_lock.owner != 0 : !table_take())
		return false;
	for (struct interval *piece = intervals_from(&mappings, 0), *next; piece; piece = next) {
		next = intervals_from(&mappings, piece->end);
		visit(piece, data);
	}
	if (!stopped)
		table_give();
	return true;
}

static __thread bool fork_locked __attribute__((tls_model("initial-exec")));

void mappings_fork_prepare(void)
{
	fork_locked = lock_take(&mappings_lock);
}

void mappings_fork_parent(void)
{
	/* a signal handler that forks may have interrupted who has it */
	if (fork_locked)
		lock_give(&mappings_lock);
	fork_locked = false;
}

void mappings_fork_child(void)
{
	/* it is in an unknown state */
	if (!fork_locked) {
		mappings = (struct intervals){0};
		spare = NULL;
	}
	mappings_lock.owner = 0;
	fork_locked = false;
}
