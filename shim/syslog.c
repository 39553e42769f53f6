/* SPDX-License-Identifier: MIT */
/*
 * The ident that openlog was given: the C library keeps the pointer and prints
 * what it points to at each syslog().
 */
#include <string.h>

#include "shim/arena.h"
#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/lock.h"
#include "shim/module.h"
#include "shim/next.h"

#define KEY 1 /* there is one log */

void openlog(const char *ident, int option, int facility);
void closelog(void);

/* As of the last openlog; the ident only when it lies in a module's image. */
static struct {
	const char *ident;
	int option, facility;
	uint32_t place;
} last;
static struct lock last_lock;

/* What the C library was given in a module's stead; it may be read still, whenever that was. */
struct copy {
	struct copy *next;
	char ident[];
};
static struct copy *copies;

RELIB_EXPORT void openlog(const char *ident, int option, int facility)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	struct holding like = {.kind = SESSION_SYSLOG, .key = KEY};
	struct origin origin;

	if (!next_ready() || !next.openlog)
		return;
	origin = caller_origin(&caller);
	if (origin.place && ident)
		like.text = ledger_text(ident);
	if (origin.place || !ledger_is_empty(SESSION_SYSLOG))
		ledger_acquire(origin, &like);
	if (lock_take(&last_lock)) {
		/* without one the C library keeps the one it has */
		if (ident) {
			last.ident = generation_of((uintptr_t)ident) ? ident : NULL;
			last.place = origin.place;
		}
		last.option = option;
		last.facility = facility;
		lock_give(&last_lock);
	}
	next.openlog(ident, option, facility);
}

RELIB_EXPORT void closelog(void)
{
	struct holding was;

	if (!next_ready() || !next.closelog)
		return;
	if (lock_take(&last_lock)) {
		last.ident = NULL;
		lock_give(&last_lock);
	}
	next.closelog();
	ledger_give_back(SESSION_SYSLOG, KEY, &was);
}

static void visit_left(const struct holding *holding, void *data)
{
	ledger_left(holding, 0, NULL, NULL);
}

/* One unload at a time. */
static const char *copy_of(const char *ident)
{
	size_t size = strlen(ident) + 1;
	struct copy *copy = copies;

	while (copy && strcmp(copy->ident, ident))
		copy = copy->next;
	if (copy)
		return copy->ident;
	copy = arena_take(sizeof(*copy) + size);
	if (!copy)
		return NULL;
	memcpy(copy->ident, ident, size);
	copy->next = copies;
	copies = copy;
	return copy->ident;
}

static void ident_take_back(uint16_t generation)
{
	const struct generation *going = generation_at(generation);
	struct session_dangling like = {.kind = SESSION_DANGLING_OPENLOG, .place = last.place};
	const char *ident = last.ident, *copy;
	struct holding holding;

	if ((uintptr_t)ident - going->start >= going->end - going->start)
		return;
	copy = copy_of(ident);
	if (copy) {
		last.ident = NULL;
		next.openlog(copy, last.option, last.facility);
	}
	like.taken_back = copy != NULL;
	dangling_hook(generation, (uintptr_t)ident, &like, ident);
	if (copy && ledger_find(SESSION_SYSLOG, KEY, &holding)) {
		balance_take_back(holding.balance, 1, 0);
		ledger_forget(SESSION_SYSLOG, KEY);
	}
}

void syslog_take_back(uint16_t generation)
{
	ident_take_back(generation);
	ledger_each(SESSION_SYSLOG, generation_at(generation)->record, visit_left, NULL);
}

void syslog_fork_child(void)
{
	last_lock.owner = 0;
}
