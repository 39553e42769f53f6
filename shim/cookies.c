/* SPDX-License-Identifier: MIT */
/*
 * The C library gets functions of ours and a struct cookie, which outlives the
 * module.  After the module went, what is written goes nowhere, and there is
 * nothing to read.
 *
 * The module's cookie stands in a hook entry, where a look sees it: nothing
 * else may refer to it.
 */
#include "shim/cookies.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "shim/arena.h"
#include "shim/danglings.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/next.h"
#include "shim/stdio-streams.h"
#include "shim/sys.h"

#define WAIT_MS 100 /* for a call that had begun; one that was left by a jump is never over */

struct cookie {
	struct cookie *next; /* when it is spare */
	struct hook_entry *entry;
	cookie_io_functions_t functions;
	uint32_t running;
	bool dropped;
};

static struct cookie *spare;
static struct lock spare_lock;

FILE *fopencookie(void *argument, const char *mode, cookie_io_functions_t functions);

/* False: the module went. */
static bool call_begin(struct cookie *cookie)
{
	__atomic_fetch_add(&cookie->running, 1, __ATOMIC_SEQ_CST);
	if (!__atomic_load_n(&cookie->dropped, __ATOMIC_SEQ_CST))
		return true;
	__atomic_fetch_sub(&cookie->running, 1, __ATOMIC_RELEASE);
	return false;
}

static void call_end(struct cookie *cookie)
{
	__atomic_fetch_sub(&cookie->running, 1, __ATOMIC_RELEASE);
}

static ssize_t cookie_read(void *data, char *to, size_t size)
{
	struct cookie *cookie = data;
	ssize_t result;

	if (!call_begin(cookie))
		return 0;
	result = cookie->functions.read((void *)cookie->entry->argument, to, size);
	call_end(cookie);
	return result;
}

static ssize_t cookie_write(void *data, const char *from, size_t size)
{
	struct cookie *cookie = data;
	ssize_t result;

	if (!call_begin(cookie))
		return (ssize_t)size;
	result = cookie->functions.write((void *)cookie->entry->argument, from, size);
	call_end(cookie);
	return result;
}

static int cookie_seek(void *data, off64_t *position, int whence)
{
	struct cookie *cookie = data;
	int result;

	if (!call_begin(cookie)) {
		errno = EINVAL;
		return -1;
	}
	result = cookie->functions.seek((void *)cookie->entry->argument, position, whence);
	call_end(cookie);
	return result;
}

static struct cookie *cookie_take(const struct hook_entry *like)
{
	struct cookie *cookie = NULL;
	struct hook_entry *entry = hook_entry_take(like);

	if (entry && lock_take(&spare_lock)) {
		cookie = spare;
		if (cookie)
			spare = cookie->next;
		lock_give(&spare_lock);
		if (!cookie)
			cookie = arena_take(sizeof(*cookie));
	}
	if (!cookie && entry)
		hook_entry_give(entry);
	if (!cookie)
		return NULL;
	*cookie = (struct cookie){.entry = entry};
	return cookie;
}

static void cookie_give(struct cookie *cookie)
{
	hook_entry_give(cookie->entry);
	if (!lock_take(&spare_lock))
		return;
	cookie->next = spare;
	spare = cookie;
	lock_give(&spare_lock);
}

/* The last call for it. */
static int cookie_close(void *data)
{
	struct cookie *cookie = data;
	int result = 0;

	if (call_begin(cookie)) {
		if (cookie->functions.close)
			result = cookie->functions.close((void *)cookie->entry->argument);
		call_end(cookie);
	}
	cookie_give(cookie);
	return result;
}

bool cookie_is_harmless(uint64_t data)
{
	const struct cookie *cookie = (const void *)(uintptr_t)data;

	return cookie && __atomic_load_n(&cookie->dropped, __ATOMIC_RELAXED);
}

/* The functions as addresses. */
struct addresses {
	uintptr_t address[4];
};

static struct addresses addresses_of(const cookie_io_functions_t *functions)
{
	return (struct addresses){{(uintptr_t)functions->read, (uintptr_t)functions->write,
		(uintptr_t)functions->seek, (uintptr_t)functions->close}};
}

static bool is_any_owned(const cookie_io_functions_t *functions)
{
	struct addresses at = addresses_of(functions);

	for (int i = 0; i < 4; i++)
		if (at.address[i] && hook_owner(at.address[i]))
			return true;
	return false;
}

/* Its prototype has a structure by value, which the list of next.h does not know. */
typedef FILE *(*opener)(void *, const char *, cookie_io_functions_t);

RELIB_EXPORT FILE *fopencookie(void *argument, const char *mode, cookie_io_functions_t functions)
{
	struct origin origin = CALL_ORIGIN();
	struct hook_entry like = {
		.kind = SESSION_DANGLING_COOKIE,
		.argument = (uintptr_t)argument,
		.place = origin.place,
	};
	cookie_io_functions_t ours = functions;
	struct cookie *cookie = is_any_owned(&functions) ? cookie_take(&like) : NULL;
	opener next_one;
	FILE *stream;

	next_one = next_ready() ? (opener)next_fopencookie : NULL;
	if (cookie) {
		cookie->functions = functions;
		cookie->entry->handle = (uintptr_t)cookie;
		ours.read = functions.read ? cookie_read : NULL;
		ours.write = functions.write ? cookie_write : NULL;
		ours.seek = functions.seek ? cookie_seek : NULL;
		ours.close = cookie_close;
	}
	if (!next_one)
		errno = ENOSYS;
	stream = next_one ? next_one(cookie ? cookie : argument, mode, ours) : NULL;
	if (cookie && !stream)
		cookie_give(cookie);
	stream_opened(stream, STREAM_COOKIE, origin, 0, (uintptr_t)cookie);
	return stream;
}

/* The first of its functions in the generation's image, or 0. */
static uintptr_t function_in(const struct cookie *cookie, const struct generation *going)
{
	struct addresses at = addresses_of(&cookie->functions);

	for (int i = 0; i < 4; i++)
		if (at.address[i] - going->start < going->end - going->start)
			return at.address[i];
	return 0;
}

static void calls_wait(const struct cookie *cookie)
{
	const struct timespec pause = {.tv_nsec = 1000000};

	for (int i = 0; i < WAIT_MS && __atomic_load_n(&cookie->running, __ATOMIC_ACQUIRE); i++)
		sys_call(SYS_nanosleep, &pause, NULL, 0);
}

static void visit_going(struct hook_entry *entry, void *data)
{
	uint16_t generation = *(const uint16_t *)data;
	struct cookie *cookie = (struct cookie *)entry->handle;
	struct session_dangling like = {
		.kind = SESSION_DANGLING_COOKIE,
		.place = entry->place,
		.taken_back = 1,
	};
	uintptr_t function;

	if (!cookie || cookie->dropped)
		return;
	function = function_in(cookie, generation_at(generation));
	if (!function)
		return;
	__atomic_store_n(&cookie->dropped, true, __ATOMIC_SEQ_CST);
	calls_wait(cookie);
	entry->argument = 0;
	dangling_hook(generation, function, &like, NULL);
}

void cookies_take_back(uint16_t generation)
{
	hook_entries_each(SESSION_DANGLING_COOKIE, visit_going, &generation);
}

void cookies_fork_child(void)
{
	spare_lock.owner = 0;
}
