/* SPDX-License-Identifier: MIT */
#include "shim/children.h"

#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "shim/descriptors.h"
#include "shim/ledger.h"
#include "shim/next.h"
#include "shim/settle.h"
#include "shim/sys.h"
#include "shim/text.h"

#define PATH_SIZE 48
#define COMMAND_SIZE 64
#define TEXT_SIZE 128
#define PRUNE_LEAST 8u

/* data of a holding */
#define CHILD_START 0 /* start time in clock ticks since boot: tells a reused pid; 0: not known */

/* At most size - 1 bytes of a file of a process in /proc, ended by NUL; their number, or -errno. */
static long process_file_read(int pid, const char *file, char *room, size_t size)
{
	char path[PATH_SIZE];
	struct text name = text_in(path, sizeof(path));
	long fd, length;

	text_add(&name, "/proc/");
	text_number(&name, (uint64_t)pid, 10, 1);
	text_add(&name, file);
	*room = 0;
	fd = sys_open(path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	length = sys_read((int)fd, room, size - 1);
	sys_close((int)fd);
	room[length > 0 ? length : 0] = 0;
	return length;
}

/* Field 22 of /proc/PID/stat; the second one is in brackets, with anything in it. */
static uint64_t process_start(int pid)
{
	char room[512];
	const char *at;
	uint64_t start = 0;

	if (process_file_read(pid, "/stat", room, sizeof(room)) <= 0)
		return 0;
	at = strrchr(room, ')');
	for (unsigned int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
		start = start * 10 + (uint64_t)(*at - '0');
	return start;
}

/* The name of its program, as of now; "": not known. */
static void process_command(int pid, char *command, size_t size)
{
	if (process_file_read(pid, "/comm", command, size) > 0)
		command[strcspn(command, "\n")] = 0;
}

enum child_state { CHILD_GONE, CHILD_RUNS, CHILD_ENDED };

/* Asks the kernel, which goes on keeping it for who waits.  *info: how it ended. */
static enum child_state child_look(const struct holding *child, siginfo_t *info)
{
	int pid = (int)child->key;
	long result;

	memset(info, 0, sizeof(*info));
	result = sys_call6(
		SYS_waitid, P_PID, pid, (long)info, WEXITED | WNOHANG | WNOWAIT | __WALL, 0, 0);
	if (result == -ECHILD)
		return CHILD_GONE;
	if (child->data[CHILD_START] && process_start(pid) != child->data[CHILD_START])
		return CHILD_GONE;
	return !result && info->si_pid == pid ? CHILD_ENDED : CHILD_RUNS;
}

static void child_text(int pid, enum child_state state, const siginfo_t *info, char *room)
{
	struct text text = text_in(room, TEXT_SIZE);
	char command[COMMAND_SIZE];

	process_command(pid, command, sizeof(command));
	if (state == CHILD_RUNS) {
		text_add(&text, "runs: ");
		text_add(&text, *command ? command : "?");
		return;
	}
	if (*command) {
		text_add(&text, command);
		text_add(&text, " ");
	}
	text_add(&text, info->si_code == CLD_EXITED ? "ended with status " : "ended by signal ");
	text_number(&text, (uint64_t)info->si_status, 10, 1);
	text_add(&text, ", not waited for");
}

static void child_left(const struct holding *child, enum child_state state, const siginfo_t *info)
{
	struct session_leftover leftover = {
		.balance = child->balance,
		.state = SESSION_LEFT,
		.number = child->key,
	};
	struct holding changed = *child;
	char text[TEXT_SIZE];

	child_text((int)child->key, state, info, text);
	changed.leftover = leftover_add(&leftover, text, NULL);
	ledger_change(&changed);
}

/* data: the record of the generation that is being settled; NULL: none is. */
static void child_visit(const struct holding *child, void *data)
{
	const uint32_t *generation = data;
	bool settles = generation && balance_at(child->balance)->generation == *generation;
	siginfo_t info;
	enum child_state state = child_look(child, &info);
	struct holding was;

	if (state == CHILD_GONE && settles) {
		ledger_forget(SESSION_CHILD, child->key);
		balance_give_back_before(child->balance, 1, 0);
	} else if (state == CHILD_GONE) {
		ledger_give_back(SESSION_CHILD, child->key, &was);
	} else if (settles) {
		child_left(child, state, &info);
	}
}

/* The others are looked at too: what was waited for since their unload. */
void children_settle(uint32_t generation)
{
	ledger_each(SESSION_CHILD, 0, child_visit, &generation);
}

void children_refresh(void)
{
	ledger_each(SESSION_CHILD, 0, child_visit, NULL);
}

/* Not at each new child: the time for it is in proportion to the children that there are. */
static void children_prune(void)
{
	static uint32_t limit = PRUNE_LEAST;
	uint32_t count = __atomic_load_n(&ledger_counts[SESSION_CHILD], __ATOMIC_RELAXED);

	if (count < __atomic_load_n(&limit, __ATOMIC_RELAXED))
		return;
	children_refresh();
	count = __atomic_load_n(&ledger_counts[SESSION_CHILD], __ATOMIC_RELAXED);
	__atomic_store_n(
		&limit, count > PRUNE_LEAST / 2 ? 2 * count : PRUNE_LEAST, __ATOMIC_RELAXED);
}

void child_started(int pid, struct origin origin)
{
	struct holding like = {.kind = SESSION_CHILD, .key = (uint64_t)pid};
	int saved = errno;

	if (thread_self.vforked || (!origin.place && ledger_is_empty(SESSION_CHILD)))
		return;
	thread_self.inside++;
	if (origin.place) {
		children_prune();
		like.data[CHILD_START] = process_start(pid);
	}
	ledger_acquire(origin, &like);
	thread_self.inside--;
	errno = saved;
}

static int child_refused(void)
{
	errno = ENOSYS;
	return -1;
}

RELIB_EXPORT int fork(void)
{
	int pid;

	if (!next_ready() || !next.fork)
		return child_refused();
	pid = next.fork();
	if (pid > 0)
		child_started(pid, CALL_ORIGIN());
	else if (!pid)
		thread_self.vforked = false; /* memory of its own, whoever forked */
	return pid;
}

/* No handlers run: the session stays the parent's, and is not to be written to. */
int _Fork(void);
RELIB_EXPORT int _Fork(void)
{
	int pid;

	if (!next_ready() || !next.fork_bare)
		return child_refused();
	pid = next.fork_bare();
	if (pid > 0)
		child_started(pid, CALL_ORIGIN());
	else if (!pid)
		thread_self.vforked = true;
	return pid;
}

RELIB_EXPORT int forkpty(
	int *master, char *name, const struct termios *termios, const struct winsize *size)
{
	struct origin origin;
	int pid;

	if (!next_ready() || !next.forkpty)
		return child_refused();
	pid = next.forkpty(master, name, termios, size);
	if (pid > 0) {
		origin = CALL_ORIGIN();
		descriptor_opened(*master, origin);
		child_started(pid, origin);
	} else if (!pid) {
		thread_self.vforked = false;
	}
	return pid;
}

RELIB_EXPORT int posix_spawn(pid_t *pid, const char *path,
	const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
	char *const *arguments, char *const *environment)
{
	int own, result;

	if (!next_ready() || !next.posix_spawn)
		return ENOSYS;
	pid = pid ? pid : &own;
	result = next.posix_spawn(
		pid, path, actions, attributes, (void *)arguments, (void *)environment);
	if (!result)
		child_started(*pid, CALL_ORIGIN());
	return result;
}

RELIB_EXPORT int posix_spawnp(pid_t *pid, const char *file,
	const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
	char *const *arguments, char *const *environment)
{
	int own, result;

	if (!next_ready() || !next.posix_spawnp)
		return ENOSYS;
	pid = pid ? pid : &own;
	result = next.posix_spawnp(
		pid, file, actions, attributes, (void *)arguments, (void *)environment);
	if (!result)
		child_started(*pid, CALL_ORIGIN());
	return result;
}

/* vfork itself is in vfork-x86_64.S; these are its parts that can be C. */

/* From here on the thread's calls may be the child's.  Returns what vfork_parent is to be given. */
__attribute__((visibility("hidden"))) int vfork_begin(void);
int vfork_begin(void)
{
	bool nested = thread_self.vforked;

	thread_self.vforked = true;
	return nested;
}

/* In the parent, in vfork's place: with its caller's frame as it was.  pid: or -errno. */
__attribute__((visibility("hidden"))) int vfork_parent(int pid, int nested);
int vfork_parent(int pid, int nested)
{
	const uintptr_t *frame = CALLER_FRAME();

	thread_self.vforked = nested;
	if (pid < 0) {
		errno = -pid;
		return -1;
	}
	child_started(pid, call_origin(frame));
	return pid;
}
