/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/explain.h"
#include "shim/next.h"
#include "shim/object-image.h"
#include "shim/places.h"
#include "shim/refusal.h"
#include "shim/session.h"

#define TEXT_SIZE 4096u
#define TEXTS 16u    /* refusals whose text may be read at the same time */
#define TOLD_MOST 8u /* threads */
#define NAMES_SIZE 4096u

char *dlerror(void);

static char texts[TEXTS][TEXT_SIZE];
static _Atomic unsigned int text_next;
static __thread char *pending __attribute__((tls_model("initial-exec")));

/* Text that is cut where it does not fit. */
struct paper {
	char *at, *end;
};

static void put(struct paper *paper, const char *text, size_t length)
{
	if (length > (size_t)(paper->end - paper->at))
		length = (size_t)(paper->end - paper->at);
	memcpy(paper->at, text, length);
	paper->at += length;
	*paper->at = 0;
}

static void put_text(struct paper *paper, const char *text)
{
	put(paper, text, strlen(text));
}

static void put_number(struct paper *paper, uint64_t number)
{
	char digits[20];
	unsigned int n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + number % 10);
	} while (number /= 10);
	put(paper, digits + n, sizeof(digits) - n);
}

/* The frames that are told of one thread: where it was created, where it stands. */
static unsigned int frames_of(const struct blocker *blocker, uint64_t *frames)
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
	return 2;
}

static const char *line_next(const char **lines, size_t *length)
{
	const char *line = *lines, *end = strchrnul(line, '\n');

	*length = (size_t)(end - line);
	*lines = *end ? end + 1 : end;
	return line;
}

static void put_thread(struct paper *paper, const struct blocker *blocker, const uint64_t *frames,
	const char **lines)
{
	const struct session_thread *thread =
		blocker->record ? session_record(SESSION_THREADS, blocker->record) : NULL;
	size_t length;
	const char *line;

	put_text(paper, blocker->calling ? "; the calling thread " : "; thread ");
	put_number(paper, (uint64_t)blocker->tid);
	if (thread && *thread->name) {
		put_text(paper, " (");
		put_text(paper, thread->name);
		put_text(paper, ")");
	}
	if (frames[0]) {
		line = line_next(lines, &length);
		put_text(paper, ", created by ");
		put(paper, line, length);
	} else {
		put_text(paper, blocker->owner ? "" : ", not created by it");
	}
	if (frames[1]) {
		line = line_next(lines, &length);
		put_text(paper, ", stands in ");
		put(paper, line, length);
	}
}

static void text_give(char *text)
{
	/* what the loader said before is older */
	if (next.dlerror)
		next.dlerror();
	pending = text;
}

void refusal_set_closed(const struct object *object)
{
	char *text = texts[text_next++ % TEXTS];
	struct paper paper = {text, text + TEXT_SIZE - 1};

	put_text(&paper, object->name);
	put_text(&paper, ": shared object not open");
	text_give(text);
}

void refusal_set(const struct object *object, const struct blockers *blockers)
{
	char *text = texts[text_next++ % TEXTS], names[NAMES_SIZE];
	struct paper paper = {text, text + TEXT_SIZE - 1};
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
	put_text(&paper, object->name);
	put_text(&paper, ": cannot be unloaded: ");
	put_number(&paper, blockers->count);
	put_text(
		&paper, blockers->count == 1 ? " thread is in the way" : " threads are in the way");
	for (size_t i = 0; i < told; i++)
		put_thread(&paper, &blockers->list[i], frames[i], &lines);
	if (told < blockers->count)
		put_text(&paper, "; and others");
	text_give(text);
}

RELIB_EXPORT char *dlerror(void)
{
	char *said = next_ready() && next.dlerror ? next.dlerror() : NULL, *text = pending;

	pending = NULL;
	return said ? said : text;
}
