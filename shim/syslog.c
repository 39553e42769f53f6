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
#include "shim/lock.h"
#include "shim/module.h"
#include "shim/next.h"

void openlog(const char *ident, int option, int facility);
void closelog(void);

/* As of the last openlog; the ident only when it lies in a module's image. */
static struct {
	const char *ident;
	int option, facility;
	uint32_t place;
} last;
static struct lock last_lock;

RELIB_EXPORT void openlog(const char *ident, int option, int facility)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	uint32_t place;

	if (!next_ready() || !next.openlog)
		return;
	place = ident ? hook_place(&caller) : 0;
	if (lock_take(&last_lock)) {
		/* without one the C library keeps the one it has */
		if (ident) {
			last.ident = generation_of((uintptr_t)ident) ? ident : NULL;
			last.place = place;
		}
		last.option = option;
		last.facility = facility;
		lock_give(&last_lock);
	}
	next.openlog(ident, option, facility);
}

RELIB_EXPORT void closelog(void)
{
	if (!next_ready() || !next.closelog)
		return;
	if (lock_take(&last_lock)) {
		last.ident = NULL;
		lock_give(&last_lock);
	}
	next.closelog();
}

uint32_t syslog_take_back(uint16_t generation)
{
	const struct generation *going = generation_at(generation);
	struct session_dangling like = {.kind = SESSION_DANGLING_OPENLOG, .place = last.place};
	const char *ident = last.ident;
	size_t size;
	char *copy;

	if ((uintptr_t)ident - going->start >= going->end - going->start)
		return 0;
	size = strlen(ident) + 1;
	copy = arena_take(size);
	if (copy) {
		memcpy(copy, ident, size);
		last.ident = NULL;
		next.openlog(copy, last.option, last.facility);
	}
	like.taken_back = copy != NULL;
	dangling_hook(generation, (uintptr_t)ident, &like, ident);
	return copy != NULL;
}

void syslog_fork_child(void)
{
	last_lock.owner = 0;
}
