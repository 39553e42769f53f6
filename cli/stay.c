/* SPDX-License-Identifier: MIT */
#include "cli/stay.h"

#include "elf/demangle.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char *closing_name(unsigned int closing)
{
	static const char *const names[] = {
		[SESSION_OPEN] = "open",
		[SESSION_STAYED] = "stayed",
		[SESSION_DEFERRED] = "deferred",
		[SESSION_REFUSED] = "refused",
		[SESSION_ABANDONED] = "abandoned",
	};

	return closing < sizeof(names) / sizeof(names[0]) ? names[closing] : "unknown";
}

const char *stay_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		[SESSION_STAY_NODELETE_FILE] = "nodelete-file",
		[SESSION_STAY_NODELETE_OPEN] = "nodelete-open",
		[SESSION_STAY_UNIQUE] = "unique-symbol",
		[SESSION_STAY_OPEN] = "open",
		[SESSION_STAY_OPENED_FROM] = "opened-from",
		[SESSION_STAY_NEEDED] = "needed",
		[SESSION_STAY_BOUND] = "bound",
		[SESSION_STAY_LOCALS] = "thread-locals",
		[SESSION_STAY_THREAD] = "thread",
		[SESSION_STAY_TIMEOUT] = "timeout",
		[SESSION_STAY_UNKNOWN] = "unknown",
	};

	if (kind < sizeof(names) / sizeof(names[0]) && names[kind])
		return names[kind];
	return "unknown";
}

char *thread_text(const struct session_thread *thread)
{
	int length = strnlen(thread->name, sizeof(thread->name));

	if (thread->state == SESSION_THREAD_STARTING || !thread->tid)
		return text_copy("a thread that is being started");
	if (!length)
		return text_format("thread %" PRId32, thread->tid);
	return text_format("thread %" PRId32 " (%.*s)", thread->tid, length, thread->name);
}

/* Of a stack without a frame that is marked, the first in the module still tells most. */
static uint32_t stand_index(
	const struct session *session, const struct session_thread *thread, uint32_t home)
{
	uint32_t i;

	if (thread->module_frame < thread->stack_count)
		return thread->module_frame;
	for (i = 0; i < thread->stack_count; i++)
		if (SESSION_FRAME_OBJECT(session_frame(session, thread->stack + i)) == home)
			return i;
	return 0;
}

char *thread_stand_text(
	const struct leaks *leaks, const struct session_thread *thread, uint32_t home)
{
	uint32_t index = stand_index(leaks->session, thread, home);
	uint64_t frame;

	if (!thread->stack_count)
		return text_copy("a place that is not known");
	frame = session_frame(leaks->session, thread->stack + index);
	return index ? names_line(leaks->names, frame, home)
		     : names_line_exact(leaks->names, frame, home);
}

char *place_owner_text(const struct leaks *leaks, uint32_t place)
{
	const struct session_place *record;
	uint32_t index;

	if (!place)
		return NULL;
	record = session_place(leaks->session, place);
	if (!record->frame_count)
		return NULL;
	index = record->owner_frame < record->frame_count ? record->owner_frame : 0;
	return names_line(
		leaks->names, session_frame(leaks->session, record->frame + index), record->object);
}

char *thread_creator_text(const struct leaks *leaks, const struct session_thread *thread)
{
	return place_owner_text(leaks, thread->place);
}

/* "deferred: thread 123 (worker) stands in on_tick (plugin.c:40), created in start (plugin.c:12)"
 */
static char *thread_stay_text(const struct leaks *leaks, const struct session_stay *stay)
{
	const struct session_generation *generation =
		session_generation(leaks->session, stay->generation);
	const char *how = generation->closing == SESSION_REFUSED ? "refused" : "deferred";
	const struct session_thread *thread = NULL;
	char *name, *stand, *creator, *text;

	if (stay->thread)
		thread = session_thread(leaks->session, stay->thread);
	if (!thread || thread->state == SESSION_THREAD_FREE)
		return text_format("%s: for a thread that is over by now", how);
	name = thread_text(thread);
	stand = thread_stand_text(leaks, thread, generation->object);
	creator = thread_creator_text(leaks, thread);
	text = text_format("%s: %s%s stands in %s%s%s", how,
		thread->generation ? "" : "the host's ", name, stand,
		creator ? ", created in " : "", creator ? creator : "");
	free(name);
	free(stand);
	free(creator);
	return text;
}

static char *unique_text(const char *symbol, const char *user)
{
	char *readable = name_demangled(symbol), *text;

	if (strcmp(readable, symbol) == 0)
		text = text_format("the unique symbol %s is used%s%s", symbol, user ? " by " : "",
			user ? user : "");
	else
		text = text_format("the unique symbol %s (%s) is used%s%s", symbol, readable,
			user ? " by " : "", user ? user : "");
	free(readable);
	return text;
}

static char *times_text(const char *what, uint32_t count)
{
	if (count == 1)
		return text_format("%s once", what);
	return text_format("%s %" PRIu32 " times", what, count);
}

char *stay_text(const struct leaks *leaks, const struct session_stay *stay)
{
	const char *symbol = session_string(leaks->session, stay->text);
	const char *user = names_object(leaks->names, stay->object);

	switch (stay->kind) {
	case SESSION_STAY_NODELETE_FILE:
		return text_copy("linked with -z nodelete");
	case SESSION_STAY_NODELETE_OPEN:
		return text_copy("opened with RTLD_NODELETE");
	case SESSION_STAY_UNIQUE:
		return unique_text(symbol, stay->object ? user : NULL);
	case SESSION_STAY_OPEN:
		return times_text("still open", stay->count);
	case SESSION_STAY_OPENED_FROM:
		return times_text("opened", stay->count);
	case SESSION_STAY_NEEDED:
		return text_format("needed by %s", user);
	case SESSION_STAY_BOUND:
		return text_format("%s has bound its symbol %s", user, symbol);
	case SESSION_STAY_LOCALS:
		return text_format("pinned by %" PRIu32 " thread-local destructor%s", stay->count,
			stay->count == 1 ? "" : "s");
	case SESSION_STAY_THREAD:
		return thread_stay_text(leaks, stay);
	case SESSION_STAY_TIMEOUT:
		return text_copy("abandoned: a finalizer did not come back");
	default:
		return text_copy("the loader keeps it, and relib does not see why");
	}
}
