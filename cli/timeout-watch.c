/* SPDX-License-Identifier: MIT */
#include "cli/timeout-watch.h"

#include "cli/leaks.h"
#include "cli/session-folder.h"
#include "cli/text-stack.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_SHARE 20		 /* at most one part in so many of the time is spent on looks */
#define SETTLE_TRIES 20		 /* while the notes of one timeout are being written */
#define SETTLE_PAUSE_NS 20000000 /* between two tries */

static bool session_is_ours(const struct timeout_watch *watch, const char *path)
{
	struct error error;
	struct session *session = session_open(path, &error);
	bool ours = session &&
		    strcmp(session_string(session, session->header->run_id), watch->run_id) == 0;

	session_close(session);
	return ours;
}

static struct watched_session *session_watched(struct timeout_watch *watch, const char *path)
{
	struct watched_session *session;
	size_t i;

	for (i = 0; i < watch->count; i++)
		if (strcmp(watch->session[i].path, path) == 0)
			return &watch->session[i];
	session = array_append(&watch->session, &watch->count, sizeof(*session));
	session->path = text_copy(path);
	return session;
}

/* Folders that came since the last look; one may be there before its session can be read. */
static void sessions_find(struct timeout_watch *watch)
{
	struct session_list list;
	struct watched_session *session;
	struct stat info;
	size_t i;

	if (stat(watch->base, &info) < 0 || (info.st_mtim.tv_sec == watch->changed.tv_sec &&
						    info.st_mtim.tv_nsec == watch->changed.tv_nsec))
		return;
	session_list_read(watch->base, &list);
	for (i = 0; i < list.count; i++) {
		if (list.entry[i].started_ns < watch->since_ns)
			continue;
		session = session_watched(watch, list.entry[i].path);
		session->ours = session->ours || session_is_ours(watch, session->path);
	}
	session_list_free(&list);
	/* What is made within this very second may not change the time again. */
	if (time(NULL) > info.st_mtim.tv_sec + 1)
		watch->changed = info.st_mtim;
}

static void print_first(
	const struct paper *paper, const struct leaks *leaks, const struct session_note *note)
{
	const struct session_generation *generation;
	const char *name = "a module";

	if (note->generation) {
		generation = session_generation(leaks->session, note->generation);
		name = names_object(leaks->names, generation->object);
	}
	paper_print(paper, INK_WARN, "relib: unloading %s is waiting for %g s", name,
		leaks->session->header->timeout_ms / 1000.0);
	paper_print(paper, INK_PLAIN, ", in process %" PRId32 "\n", leaks->session->header->pid);
}

/* The notes of one generation belong together, the thread that unloads first. */
static void note_tell(const struct paper *paper, const struct leaks *leaks,
	const struct session_note *note, bool first)
{
	const char *name = session_string(leaks->session, note->text);
	struct text_stack stack = stack_of_note(leaks->session, note, 0);

	if (first)
		print_first(paper, leaks, note);
	paper_print(paper, INK_PLAIN, "  %sthread %" PRIu32 "%s%s%s\n", first ? "" : "waiting for ",
		note->thread, *name ? " (" : "", name, *name ? ")" : "");
	text_stack_print(paper, leaks, &stack);
}

static void notes_tell(
	struct timeout_watch *watch, struct watched_session *watched, const struct session *session)
{
	struct leaks *leaks = leaks_open(session, NULL);
	const struct session_note *note;
	uint32_t generation = 0;
	bool first = true;
	uint64_t i;

	while (watched->told_count < session->count[SESSION_NOTES])
		array_append(&watched->told, &watched->told_count, sizeof(*watched->told));
	for (i = 1; i < session->count[SESSION_NOTES]; i++) {
		note = session_note(session, i);
		if (note->kind != SESSION_NOTE_TIMEOUT || note->count <= watched->told[i])
			continue;
		watched->told[i] = note->count;
		note_tell(watch->paper, leaks, note, first || note->generation != generation);
		generation = note->generation;
		first = false;
	}
	fflush(watch->paper->out);
	leaks_close(leaks);
}

/* How often unloads were found to wait: a number that only grows. */
static uint64_t timeouts_sum(const struct session *session)
{
	uint64_t sum = 0, i;

	for (i = 1; i < session->count[SESSION_NOTES]; i++)
		if (session_note(session, i)->kind == SESSION_NOTE_TIMEOUT)
			sum += session_note(session, i)->count;
	return sum;
}

/* Tells once the notes have been the same twice: those of all threads are there then. */
static void session_look(struct timeout_watch *watch, struct watched_session *watched)
{
	const struct timespec pause = {0, SETTLE_PAUSE_NS};
	struct session *session = NULL;
	uint64_t sum = watched->sum, last;
	struct error error;
	int try;

	for (try = 0; try < SETTLE_TRIES; try++) {
		if (try)
			nanosleep(&pause, NULL);
		last = sum;
		session_close(session);
		session = session_open(watched->path, &error);
		if (!session)
			return;
		sum = timeouts_sum(session);
		if (sum == last)
			break;
	}
	if (sum != watched->sum)
		notes_tell(watch, watched, session);
	watched->sum = sum;
	watched->timed_out = sum != 0;
	watched->records = session->count[SESSION_NOTES];
	session_close(session);
}

/* A note that is there already is only counted on. */
static bool session_may_tell(
	const struct watched_session *watched, const struct session_header *header)
{
	return (header->table[SESSION_NOTES].record_count != watched->records ||
		       watched->timed_out) &&
	       session_life(header) == SESSION_LIFE_RUNNING;
}

/* A program that was executed writes a session of its own to the same file. */
static void session_renew(struct watched_session *watched, const struct session_header *header)
{
	if (watched->started_ns == header->started_ns)
		return;
	free(watched->told);
	*watched = (struct watched_session){
		.path = watched->path,
		.started_ns = header->started_ns,
		.ours = true,
	};
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void sessions_look(struct timeout_watch *watch)
{
	struct session_header *header = memory_zeroed(1, sizeof(*header));
	struct watched_session *watched;
	struct error error;
	size_t i;

	for (i = 0; i < watch->count; i++) {
		watched = &watch->session[i];
		if (!watched->ours || session_header_read(watched->path, header, &error) < 0)
			continue;
		session_renew(watched, header);
		if (session_may_tell(watched, header))
			session_look(watch, watched);
	}
	free(header);
}

void timeout_watch_look(struct timeout_watch *watch)
{
	uint64_t begun = clock_ns(), ended;

	if (begun < watch->not_before)
		return;
	sessions_find(watch);
	sessions_look(watch);
	ended = clock_ns();
	watch->not_before = ended + (ended - begun) * LOOK_SHARE;
}

void timeout_watch_end(struct timeout_watch *watch)
{
	size_t i;

	for (i = 0; i < watch->count; i++) {
		free(watch->session[i].path);
		free(watch->session[i].told);
	}
	free(watch->session);
	watch->session = NULL;
	watch->count = 0;
}
