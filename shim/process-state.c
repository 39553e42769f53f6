/* SPDX-License-Identifier: MIT */
/* The umask and the working directory, which the kernel keeps for the whole process. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/changes.h"
#include "shim/next.h"
#include "shim/session.h"
#include "shim/settle.h"
#include "shim/sys.h"
#include "shim/tasks.h"
#include "shim/text.h"

#define KEY 1	       /* there is one of each */
#define PATH_MOST 2048 /* of a working directory: longer ones are not recorded */

RELIB_EXPORT mode_t umask(mode_t mask)
{
	struct holding like = {.kind = SESSION_UMASK, .key = KEY};
	struct origin origin;
	mode_t before;

	if (!next_ready() || !next.umask)
		return 0;
	before = next.umask(mask);
	origin = CALL_ORIGIN();
	if (origin.place || !ledger_is_empty(SESSION_UMASK)) {
		like.data[0] = before;
		like.data[1] = mask & 0777;
		change_made(origin, &like);
	}
	return before;
}

static bool directory_read(char *path)
{
	return sys_call(SYS_getcwd, path, PATH_MOST, 0) > 0;
}

/* A call that changes the directory, with what was and what is then. */
struct move {
	struct origin origin;
	bool seen;
	char before[PATH_MOST];
};

static void move_begin(struct move *move, struct origin origin)
{
	move->origin = origin;
	move->seen = origin.place ? directory_read(move->before)
				  : !ledger_is_empty(SESSION_WORKING_DIRECTORY);
}

static void move_end(struct move *move, bool moved)
{
	struct holding like = {.kind = SESSION_WORKING_DIRECTORY, .key = KEY};
	char now[PATH_MOST];
	int saved = errno;

	if (!move->seen || !moved)
		return;
	if (!move->origin.place) {
		change_made(move->origin, &like);
	} else if (directory_read(now)) {
		like.data[0] = ledger_hash(move->before);
		like.data[1] = ledger_hash(now);
		if (like.data[0] != like.data[1] && !change_is_known(move->origin, like.kind, KEY))
			like.data[2] = ledger_text(move->before);
		change_made(move->origin, &like);
	}
	errno = saved;
}

#define MOVE(call)                                                                                 \
	do {                                                                                       \
		struct move move;                                                                  \
		int result;                                                                        \
                                                                                                   \
		move_begin(&move, CALL_ORIGIN());                                                  \
		result = call;                                                                     \
		move_end(&move, !result);                                                          \
		return result;                                                                     \
	} while (0)

RELIB_EXPORT int chdir(const char *path)
{
	if (!next_ready() || !next.chdir) {
		errno = ENOSYS;
		return -1;
	}
	MOVE(next.chdir(path));
}

RELIB_EXPORT int fchdir(int directory)
{
	if (!next_ready() || !next.fchdir) {
		errno = ENOSYS;
		return -1;
	}
	MOVE(next.fchdir(directory));
}

/* As the kernel tells it; to ask by umask() would change it for a moment. */
static bool umask_read(uint64_t *mask)
{
	static const char field[] = "\nUmask:\t";
	char text[512];
	int tasks = tasks_open();
	const char *at;
	long length;

	if (tasks < 0)
		return false;
	length = task_file_read(tasks, sys_gettid(), "status", text, sizeof(text));
	sys_close(tasks);
	at = length > 0 ? strstr(text, field) : NULL;
	if (!at)
		return false;
	*mask = 0;
	for (at += strlen(field); *at >= '0' && *at <= '7'; at++)
		*mask = *mask * 8 + (uint64_t)(*at - '0');
	return true;
}

static void visit_umask(const struct holding *holding, void *data)
{
	char room[32];
	struct text text = text_in(room, sizeof(room));
	uint64_t now;

	if (!umask_read(&now))
		now = holding->data[1];
	text_number(&text, holding->data[0], 8, 3);
	text_add(&text, " -> ");
	text_number(&text, now, 8, 3);
	change_settle(holding, now, room);
}

static void visit_directory(const struct holding *holding, void *data)
{
	char now[PATH_MOST], room[2 * PATH_MOST];
	struct text text = text_in(room, sizeof(room));

	if (!directory_read(now))
		return;
	text_add(&text, session_record(SESSION_STRINGS, (uint32_t)holding->data[2]));
	text_add(&text, " -> ");
	text_add(&text, now);
	change_settle(holding, ledger_hash(now), room);
}

void process_settle(uint32_t generation)
{
	ledger_each(SESSION_UMASK, generation, visit_umask, NULL);
	ledger_each(SESSION_WORKING_DIRECTORY, generation, visit_directory, NULL);
}
