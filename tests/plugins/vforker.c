/* SPDX-License-Identifier: MIT */
/*
 * A program that makes children in ways that are easy to break, and prints what
 * became of them: vfork and its like, nested, in threads, refused, failing, with
 * signals coming in.
 */
#include "host.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

extern char **environ;

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_exit(int number)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(number);
	return status_of(pid);
}

static int run_exec(const char *script)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	return status_of(pid);
}

/* The child's errno is the parent's too, as always: memory is shared. */
static int run_no_exec(void)
{
	pid_t pid;
	int status;

	errno = 0;
	pid = vfork();
	if (pid == 0) {
		execl("/nonexistent/program", "program", (char *)NULL);
		_exit(errno == ENOENT ? 55 : 56);
	}
	status = errno == ENOENT ? 0 : 100;
	return status + status_of(pid);
}

static int run_nested(void)
{
	volatile int inner = -1;
	pid_t pid = vfork();

	if (pid == 0) {
		pid_t grandchild = vfork();

		if (grandchild == 0)
			_exit(21);
		inner = status_of(grandchild);
		_exit(22);
	}
	return inner * 100 + status_of(pid);
}

static int run_fork_in_vfork(void)
{
	volatile int inner = -1;
	pid_t pid = vfork();

	if (pid == 0) {
		pid_t grandchild = fork();

		if (grandchild == 0)
			_exit(run_exit(23));
		inner = status_of(grandchild);
		_exit(24);
	}
	return inner * 100 + status_of(pid);
}

/* What the child does to its descriptors, handlers and memory of its own is its business. */
static int run_closing(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid_t pid = vfork();

	if (pid == 0) {
		close(fd);
		dup2(2, fd);
		close(0);
		_exit(31);
	}
	return status_of(pid) + (fcntl(fd, F_GETFD) == FD_CLOEXEC ? 0 : 1000) +
		(fcntl(0, F_GETFD) >= 0 ? 0 : 2000);
}

static int cloned(void *data)
{
	(void)data;
	free(malloc(100));
	_exit(41);
}

static int run_clone(int flags)
{
	static char stack[65536] __attribute__((aligned(16)));

	return status_of(clone(cloned, stack + sizeof(stack), flags | SIGCHLD, NULL));
}

static void *run_thread(void *data)
{
	long wrong = 0;

	for (int i = 0; i < 200; i++)
		wrong += run_exit((int)(long)data + i % 50) != (int)(long)data + i % 50;
	return (void *)wrong;
}

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
	(void)number;
	ticks++;
	free(malloc(32));
}

/* Signals come in before, after, and while the parent waits. */
static long run_signalled(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
	long wrong = 0;

	signal(SIGALRM, on_tick);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 300 || ticks < 20; i++)
		wrong += run_exit(i % 100) != i % 100;
	setitimer(ITIMER_REAL, &never, NULL);
	return wrong;
}

static int run_spawn(void)
{
	char *arguments[] = { "sh", "-c", "exit 61", NULL };
	pid_t pid = -1;

	if (posix_spawn(NULL, "/bin/true", NULL, NULL, arguments, environ) != 0)
		return -1;
	wait(NULL);
	return posix_spawnp(&pid, "sh", NULL, NULL, arguments, environ) ? -1 : status_of(pid);
}

/* From here on the kernel refuses vfork. */
static void refuse_vfork(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_vfork, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAGAIN),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void say(const char *what, long result)
{
	printf("%s: %ld\n", what, result);
	fflush(stdout);
}

int main(void)
{
	pthread_t threads[4];
	long wrong = 0;
	void *result;

	watchdog(120);
	say("exit", run_exit(11));
	say("exec", run_exec("echo from the child; exit 12"));
	say("signal", run_exec("kill -9 $$"));
	say("no such program", run_no_exec());
	say("nested", run_nested());
	say("fork in vfork", run_fork_in_vfork());
	say("closing", run_closing());
	say("clone", run_clone(0));
	say("clone as vfork", run_clone(CLONE_VM | CLONE_VFORK));
	say("spawn", run_spawn());
	for (long i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, run_thread, (void *)i);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		wrong += (long)result;
	}
	say("wrong in threads", wrong);
	say("wrong with signals", run_signalled());
	refuse_vfork();
	errno = 0;
	say("refused", vfork());
	say("errno", errno);
	say("fork goes on", fork() == 0 ? (_exit(0), 0) : wait(NULL) > 0);
	return 0;
}
