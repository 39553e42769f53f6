/* SPDX-License-Identifier: MIT */
/* A program that starts others in every way there is, and prints what it saw. */
#include "host.h"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static void say_status(const char *how, int status)
{
	if (WIFSIGNALED(status))
		printf("%s: signal %d\n", how, WTERMSIG(status));
	else
		printf("%s: status %d\n", how, WEXITSTATUS(status));
	fflush(stdout);
}

static void by_fork(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		free(malloc(10000));
		_exit(3);
	}
	waitpid(pid, &status, 0);
	say_status("fork", status);
}

static void by_fork_exec(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("sh", "sh", "-c", "echo from exec; exit 4", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	say_status("fork and exec", status);
}

static void by_vfork(void)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		execlp("sh", "sh", "-c", "echo from vfork; exit 5", (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	say_status("vfork", status);
}

static void by_spawn(void)
{
	char *arguments[] = { "sh", "-c", "echo from spawn; exit 6", NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, "sh", NULL, NULL, arguments, environ) != 0)
		die("posix_spawnp");
	waitpid(pid, &status, 0);
	say_status("posix_spawn", status);
}

static void by_signal(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		kill(getpid(), SIGTERM);
		pause();
	}
	waitpid(pid, &status, 0);
	say_status("killed", status);
}

static void by_popen(void)
{
	char line[100] = "";
	FILE *pipe = popen("echo from popen; exit 8", "r");

	if (!pipe || !fgets(line, sizeof(line), pipe))
		die("popen");
	printf("%s", line);
	say_status("popen", pclose(pipe));
}

/* waitpid(-1) finds no child but its own. */
static void by_nobody(void)
{
	errno = 0;
	printf("children left: %s\n", waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD ? "none" : "some");
}

int main(void)
{
	watchdog(60);
	by_fork();
	by_fork_exec();
	by_vfork();
	by_spawn();
	by_signal();
	fflush(stdout);
	say_status("system", system("echo from system; exit 7"));
	by_popen();
	by_nobody();
	execlp("sh", "sh", "-c", "echo the last one; exit 9", (char *)NULL);
	return 127;
}
