/* SPDX-License-Identifier: MIT */
#include "shim/locks.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shim/ledger.h"
#include "shim/next.h"
#include "shim/settle.h"
#include "shim/sys.h"
#include "shim/text.h"

#define NAME_SIZE 64
#define TEXT_SIZE 512
#define WORDS 8

/* data of a holding: which file it was, since the number can be another's by now */
#define LOCK_DEVICE 0
#define LOCK_INODE 1

static bool file_of(int fd, uint64_t *data)
{
	struct stat info;

	if (sys_call(SYS_fstat, fd, &info, 0) < 0)
		return false;
	data[LOCK_DEVICE] = info.st_dev;
	data[LOCK_INODE] = info.st_ino;
	return true;
}

void file_lock_noted(int fd, struct origin origin)
{
	struct holding like = {.kind = SESSION_FILE_LOCK, .key = (uint64_t)(unsigned int)fd}, was;

	/* what the host locks beside it does not end a module's lock */
	if (!origin.place || thread_self.vforked || !file_of(fd, like.data))
		return;
	/* one for a descriptor, however often it is locked */
	if (ledger_find(SESSION_FILE_LOCK, like.key, &was) && !was.leftover &&
		!memcmp(was.data, like.data, sizeof(like.data)))
		return;
	ledger_acquire(origin, &like);
}

static void file_lock_ended(int fd)
{
	struct holding was;

	if (!ledger_is_empty(SESSION_FILE_LOCK))
		ledger_give_back(SESSION_FILE_LOCK, (uint64_t)(unsigned int)fd, &was);
}

/* "/proc/thread-self/WHAT/FD": of this thread, for the first one may have ended. */
static void proc_name(char *room, const char *what, int fd)
{
	struct text name = text_in(room, NAME_SIZE);

	text_add(&name, "/proc/thread-self/");
	text_add(&name, what);
	text_number(&name, (uint64_t)(unsigned int)fd, 10, 1);
}

/* The words of a line, each ended by NUL; their number. */
static unsigned int line_split(char *line, const char *words[WORDS])
{
	unsigned int count = 0;

	while (count < WORDS) {
		line += strspn(line, " \t");
		if (!*line)
			break;
		words[count++] = line;
		line += strcspn(line, " \t");
		if (*line)
			*line++ = 0;
	}
	return count;
}

static void word_add_small(struct text *text, const char *word)
{
	char letter[2] = "";

	for (; *word; word++) {
		letter[0] = *word >= 'A' && *word <= 'Z' ? (char)(*word + ('a' - 'A')) : *word;
		text_add(text, letter);
	}
}

/*
 * "1: POSIX ADVISORY WRITE 4711 fd:01:1234 0 EOF", split up.  False: no lock
 * of the kinds that we know.
 */
static bool lock_add(struct text *text, const char *const words[WORDS], unsigned int count)
{
	bool whole = count && !strcmp(words[1], "FLOCK");

	if (count < WORDS)
		return false;
	if (!whole && strcmp(words[1], "POSIX") && strcmp(words[1], "OFDLCK"))
		return false;
	text_add(text, whole ? "flock " : !strcmp(words[1], "POSIX") ? "fcntl " : "fcntl (file) ");
	word_add_small(text, words[3]);
	if (whole)
		return true;
	text_add(text, " ");
	text_add(text, words[6]);
	text_add(text, "-");
	text_add(text, words[7]);
	return true;
}

/* The first of them into text; how many there are. */
static unsigned int locks_of(char *at, struct text *text)
{
	unsigned int count = 0;
	char *end;

	for (; *at; at = end) {
		const char *words[WORDS];
		char room[TEXT_SIZE];
		struct text one = text_in(room, sizeof(room));
		bool is_lock = !strncmp(at, "lock:", 5);

		end = at + strcspn(at, "\n");
		if (*end)
			*end++ = 0;
		if (!is_lock || !lock_add(&one, words, line_split(at + 5, words)))
			continue;
		if (!count++)
			text_add(text, room);
	}
	return count;
}

static void path_add(struct text *text, int fd)
{
	char name[NAME_SIZE], path[TEXT_SIZE];
	long length;

	proc_name(name, "fd/", fd);
	length = sys_call(SYS_readlink, name, path, sizeof(path));
	if (length <= 0)
		return;
	text_add(text, " ");
	text_add_n(text, path, (size_t)length);
}

/* False: nothing is locked any more that the holding is about. */
static bool file_lock_text(const struct holding *lock, char room[TEXT_SIZE])
{
	struct text text = text_in(room, TEXT_SIZE);
	char name[NAME_SIZE], info[4096];
	int fd = (int)lock->key, proc;
	unsigned int count;
	uint64_t data[3] = {0};
	long length;

	if (!file_of(fd, data) || memcmp(data, lock->data, sizeof(data)))
		return false;
	proc_name(name, "fdinfo/", fd);
	proc = (int)sys_open(name, O_RDONLY, 0);
	if (proc < 0)
		return false;
	length = sys_read(proc, info, sizeof(info) - 1);
	sys_close(proc);
	info[length > 0 ? length : 0] = 0;
	count = locks_of(info, &text);
	if (!count)
		return false;
	path_add(&text, fd);
	if (count > 1) {
		text_add(&text, ", and ");
		text_number(&text, count - 1, 10, 1);
		text_add(&text, " more");
	}
	return true;
}

static void file_lock_visit(const struct holding *lock, void *data)
{
	const uint32_t *generation = data;
	bool settles = balance_at(lock->balance)->generation == *generation;
	struct session_leftover leftover = {
		.balance = lock->balance,
		.state = SESSION_LEFT,
		.number = lock->key,
	};
	struct holding changed = *lock, was;
	char text[TEXT_SIZE];

	/* of the others: what ended since their unload */
	if (!settles && !lock->leftover)
		return;
	if (file_lock_text(lock, text)) {
		if (!settles)
			return;
		changed.leftover = leftover_add(&leftover, text, NULL);
		ledger_change(&changed);
	} else if (settles) {
		ledger_forget(SESSION_FILE_LOCK, lock->key);
		balance_give_back_before(lock->balance, 1, 0);
	} else {
		ledger_give_back(SESSION_FILE_LOCK, lock->key, &was);
	}
}

void file_locks_settle(uint32_t generation)
{
	ledger_each(SESSION_FILE_LOCK, 0, file_lock_visit, &generation);
}

RELIB_EXPORT int flock(int fd, int operation)
{
	int result;

	if (!next_ready() || !next.flock) {
		errno = ENOSYS;
		return -1;
	}
	result = next.flock(fd, operation);
	if (!result && (operation & LOCK_UN))
		file_lock_ended(fd);
	else if (!result)
		file_lock_noted(fd, CALL_ORIGIN());
	return result;
}

#define LOCKF(name)                                                                                \
	RELIB_EXPORT int name(int fd, int command, long size)                                      \
	{                                                                                          \
		int result;                                                                        \
                                                                                                   \
		if (!next_ready() || !next.name) {                                                 \
			errno = ENOSYS;                                                            \
			return -1;                                                                 \
		}                                                                                  \
		result = next.name(fd, command, size);                                             \
		if (!result && (command == F_LOCK || command == F_TLOCK))                          \
			file_lock_noted(fd, CALL_ORIGIN());                                        \
		return result;                                                                     \
	}
LOCKF(lockf)
LOCKF(lockf64)
