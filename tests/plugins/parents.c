/* SPDX-License-Identifier: MIT */
/* A plugin that starts processes in every way, and mostly does not wait for them. */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int ends[2];
static char *cat[] = { "cat", NULL };

/* What the children read from, until the last process that has the other end is gone. */
__attribute__((constructor)) static void begin(void)
{
	if (pipe2(ends, O_CLOEXEC) != 0)
		abort();
}

/* In a child that has the parent's memory, but descriptors of its own. */
static void child_execs(void)
{
	close(ends[1]);
	dup2(ends[0], 0);
	if (open("/dev/null", O_RDONLY | O_CLOEXEC) != ends[1])
		_exit(126);
	execvp("cat", cat);
	_exit(127);
}

PLUGIN long start_fork(long status)
{
	char c;
	pid_t pid = fork();

	if (pid == 0) {
		close(ends[1]);
		if (!status && read(ends[0], &c, 1) == 0)
			_exit(0);
		_exit((int)status);
	}
	NOT_A_TAIL_CALL();
	return pid;
}

PLUGIN long start_vfork(long unused)
{
	pid_t pid = vfork();

	(void)unused;
	if (pid == 0)
		child_execs();
	return pid;
}

static int cloned(void *data)
{
	(void)data;
	child_execs();
	return 0;
}

PLUGIN long start_clone(long unused)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(cloned, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

	(void)unused;
	NOT_A_TAIL_CALL();
	return pid;
}

PLUGIN long start_forkpty(long unused)
{
	int master;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	(void)unused;
	if (pid == 0) {
		execvp("cat", cat);
		_exit(127);
	}
	NOT_A_TAIL_CALL();
	return pid;
}

static long spawn(int (*function)(pid_t *, const char *, const posix_spawn_file_actions_t *,
	const posix_spawnattr_t *, char *const *, char *const *), const char *file)
{
	posix_spawn_file_actions_t actions;
	pid_t pid = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
	if (function(&pid, file, &actions, NULL, cat, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

PLUGIN long start_spawn(long unused)
{
	long pid = spawn(posix_spawn, "/bin/cat");

	(void)unused;
	NOT_A_TAIL_CALL();
	return pid;
}

PLUGIN long start_spawnp(long unused)
{
	long pid = spawn(posix_spawnp, "cat");

	(void)unused;
	NOT_A_TAIL_CALL();
	return pid;
}

static void await_end(pid_t pid)
{
	siginfo_t info;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
		;
}

/* A zombie: it ended with the status, or by a signal when that is negative. */
PLUGIN long leave_ended(long status)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (status < 0)
			raise((int)-status);
		_exit((int)status);
	}
	await_end(pid);
	return pid;
}

PLUGIN long start_and_wait(long count)
{
	long well = 0;

	for (long i = 0; i < count; i++) {
		int status = -1;
		pid_t pid = i % 2 ? vfork() : fork();

		if (pid == 0)
			_exit((int)(i % 100));
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			WEXITSTATUS(status) == i % 100)
			well++;
	}
	return well;
}

/* Nobody waits: the kernel forgets them, once SIGCHLD is ignored. */
PLUGIN long start_ignored(long count)
{
	void (*before)(int) = signal(SIGCHLD, SIG_IGN);

	for (long i = 0; i < count; i++)
		if (fork() == 0)
			_exit(0);
	while (wait(NULL) > 0)
		;
	signal(SIGCHLD, before);
	return errno == ECHILD;
}

PLUGIN long start_failing(long unused)
{
	pid_t pid = -1;
	char *no[] = { "no", NULL };

	(void)unused;
	return posix_spawn(&pid, "/nonexistent/no", NULL, NULL, no, environ) == ENOENT;
}

PLUGIN long run_system(long status)
{
	char command[] = "exit 00";

	command[5] = (char)('0' + status / 10 % 10);
	command[6] = (char)('0' + status % 10);
	return WEXITSTATUS(system(command));
}

/* The pipe is the children's: those that read it end. */
PLUGIN long end_them(long unused)
{
	(void)unused;
	close(ends[1]);
	return 0;
}
