/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/explain.h"
#include "shim/next.h"
#include "shim/object-image.h"
#include "shim/places.h"
#include "shim/refusal.h"
#include "shim/session.h"
#include "shim/text.h"

#define TEXT_SIZE 4096u
#define TEXTS 16u    /* refusals whose text may be read at the same time */
#define TOLD_MOST 8u /* threads */
#define NAMES_SIZE 4096u

char *dlerror(void);

static char texts[TEXTS][TEXT_SIZE];
static _Atomic unsigned int text_next;
static __thread char *pending __attribute__((tls_model("initial-exec")));

/* The frames that are told of one thread: where it was created, where it stands. */
static void frames_of(const struct blocker *blocker, uint64_t *frames)
{
	const struct session_thread *thread =
		blocker->record ? session_record(SESSION_THREADS, blocker->record) : NULL;
	const struct session_place *place =
		thread && thread->place ? session_record(SESSION_PLACES, thread->place) : NULL;
	uint32_t at = blocker->module_frame < blocker->frame_count ? blocker->module_frame : 0;

	frames[0] = place && place->frame_count ? *(uint64_t *)session_record(SESSION_FRAMES,
							  place->frame + place->owner_frame)
						: 0;
	frames[1] = blocker->frame_count ? place_frame(blocker->frames[at]) : 0;
	/* where it stands is an instruction, all others are return addresses */
	if (frames[1] && !at && !blocker->calling)
		frames[1]++;
}

static const char *line_next(const char **lines, size_t *length)
{
	const char *line = *lines, *end = strchrnul(line, '\n');

	*length = (size_t)(end - line);
	*lines = *end ? end + 1 : end;
	return line;
}

static void put_thread(struct text *text, const struct blocker *blocker, const uint64_t *frames,
	const char **lines)
{
	const struct session_thread *thread =
		blocker->record ? session_record(SESSION_THREADS, blocker->record) : NULL;
	size_t length;
	const char *line;

	text_add(text, blocker->calling ? "; the calling thread " : "; thread ");
	text_number(text, (uint64_t)blocker->tid, 10, 1);
	if (thread && *thread->name) {
		text_add(text, " (");
		text_add(text, thread->name);
		text_add(text, ")");
	}
	if (frames[0]) {
		line = line_next(lines, &length);
		text_add(text, ", created by ");
		text_add_n(text, line, length);
	} else {
		text_add(text, blocker->owner ? "" : ", not created by it");
	}
	if (frames[1]) {
		line = line_next(lines, &length);
		text_add(text, ", stands in ");
		text_add_n(text, line, length);
	}
}

/* What the loader said before is older. */
static void message_leave(char *text)
{
	if (next.dlerror)
		next.dlerror();
	pending = text;
}

void refusal_set(const struct object *object, const struct blockers *blockers)
{
	char *message = texts[text_next++ % TEXTS], names[NAMES_SIZE];
	struct text text = text_in(message, TEXT_SIZE);
	size_t told = blockers->count < TOLD_MOST ? blockers->count : TOLD_MOST;
	uint64_t frames[TOLD_MOST][2], all[2 * TOLD_MOST];
	const char *lines = names;
	unsigned int count = 0;

	for (size_t i = 0; i < told; i++) {
		frames_of(&blockers->list[i], frames[i]);
		for (int k = 0; k < 2; k++)
			if (frames[i][k])
				all[count++] = frames[i][k];
	}
	*names = 0;
	explain_frames(all, count, false, names, sizeof(names));
	text_add(&text, object->name);
	text_add(&text, ": cannot be unloaded: ");
	text_number(&text, blockers->count, 10, 1);
	text_add(&text, blockers->count == 1 ? " thread is in the way" : " threads are in the way");
	for (size_t i = 0; i < told; i++)
		put_thread(&text, &blockers->list[i], frames[i], &lines);
	if (told < blockers->count)
		text_add(&text, "; and others");
	message_leave(message);
}

void refusal_not_open(const struct object *object)
{
	char *message = texts[text_next++ % TEXTS];
	struct text text = text_in(message, TEXT_SIZE);

	text_add(&text, object->name);
	text_add(&text, ": shared object not open");
	message_leave(message);
}

RELIB_EXPORT char *dlerror(void)
{
	char *said = next_ready() && next.dlerror ? next.dlerror() : NULL, *text = pending;

	pending = NULL;
	return said ? said : text;
}
