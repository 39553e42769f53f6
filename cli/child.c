/* SPDX-License-Identifier: MIT */
#include "cli/child.h"

#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const int ignored[] = {SIGINT, SIGQUIT};
static const int passed_on[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

#define LOOK_MS 1000 /* between two looks of the watch */

struct signals {
	sigset_t mask;
	struct sigaction child;
	struct sigaction ignored[COUNT(ignored)];
	struct sigaction passed_on[COUNT(passed_on)];
};

static volatile pid_t child; /* 0: there is none to pass signals on to */

static void pass_on(int signal_number)
{
	int saved = errno;

	if (child > 0)
		kill(child, signal_number);
	errno = saved;
}

/* That the child ended is told by ppoll coming back. */
static void child_changed(int signal_number)
{
	(void)signal_number;
}

static void signals_block(sigset_t *old)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < COUNT(passed_on); i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, old);
}

static void signals_take(struct signals *old)
{
	struct sigaction action = {.sa_flags = SA_RESTART};
	size_t i;

	signals_block(&old->mask);
	action.sa_handler = SIG_IGN;
	for (i = 0; i < COUNT(ignored); i++)
		sigaction(ignored[i], &action, &old->ignored[i]);
	action.sa_handler = pass_on;
	for (i = 0; i < COUNT(passed_on); i++)
		sigaction(passed_on[i], &action, &old->passed_on[i]);
	/* Also if it was ignored: then there would be nothing to wait for. */
	action.sa_handler = child_changed;
	sigaction(SIGCHLD, &action, &old->child);
}

static void signals_give_back(const struct signals *old)
{
	size_t i;

	for (i = 0; i < COUNT(ignored); i++)
		sigaction(ignored[i], &old->ignored[i], NULL);
	for (i = 0; i < COUNT(passed_on); i++)
		sigaction(passed_on[i], &old->passed_on[i], NULL);
	sigaction(SIGCHLD, &old->child, NULL);
	sigprocmask(SIG_SETMASK, &old->mask, NULL);
}

/* In the child: becomes the host, or tells the parent why not. */
static void child_become(const char *path, char **argv, char **environment, int output,
	const struct signals *signals, int report)
{
	int code;

	signals_give_back(signals);
	if (output)
		dup2(output, STDOUT_FILENO);
	execvpe(path, argv, environment);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(STATUS_FAILED);
	_exit(STATUS_FAILED);
}

static bool child_has_ended(int options)
{
	siginfo_t info = {0};

	while (waitid(P_PID, child, &info, WEXITED | WNOWAIT | options) < 0)
		if (errno != EINTR)
			return true;
	return info.si_pid != 0;
}

/* SIGCHLD is let through in ppoll only, so that none is missed between look and wait. */
static void child_watch(const struct child_watch *watch)
{
	const struct timespec pause = {LOOK_MS / 1000, LOOK_MS % 1000 * 1000000};
	sigset_t blocked, mask;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	blocked = mask;
	sigdelset(&blocked, SIGCHLD);
	while (!child_has_ended(WNOHANG))
		if (ppoll(NULL, 0, &pause, &blocked) == 0)
			watch->look(watch->data);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/*
 * Waits without reaping first, so that no signal is passed on to a number
 * that is somebody else's by then.
 */
static int child_wait(const struct child_watch *watch)
{
	sigset_t mask;
	int status = 0;

	if (watch->look)
		child_watch(watch);
	child_has_ended(0);
	signals_block(&mask);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	child = 0;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return status;
}

/* The errno of a failed exec, or 0: the pipe closes when the exec succeeds. */
static int exec_error(int report)
{
	int code = 0;
	ssize_t n;

	while ((n = read(report, &code, sizeof(code))) < 0 && errno == EINTR)
		;
	close(report);
	return n == sizeof(code) ? code : 0;
}

int child_run(const char *path, char **argv, char **environment, const struct child_watch *watch,
	int *wait_status, struct error *error)
{
	struct signals signals;
	int report[2], code;

	if (pipe2(report, O_CLOEXEC) < 0)
		return error_exit(error, STATUS_FAILED, "no pipe to start the host with: %m");
	signals_take(&signals);
	child = fork();
	if (child == 0)
		child_become(path, argv, environment, watch->output, &signals, report[1]);
	close(report[1]);
	if (child < 0) {
		code = errno;
		child = 0;
		close(report[0]);
		signals_give_back(&signals);
		return error_exit(
			error, STATUS_FAILED, "no process for the host: %s", strerror(code));
	}
	sigprocmask(SIG_SETMASK, &signals.mask, NULL);
	code = exec_error(report[0]);
	*wait_status = child_wait(watch);
	signals_give_back(&signals);
	if (code)
		return error_exit(error, code == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE,
			"%s: cannot be run: %s", path,
			code == ENOENT ? "its interpreter is missing" : strerror(code));
	return 0;
}

void child_signal(int signal_number)
{
	pass_on(signal_number);
}

int child_exit_status(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}
