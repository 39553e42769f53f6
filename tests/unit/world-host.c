/* SPDX-License-Identifier: MIT */
/*
 * What a host notices of a stop: its calls go on waiting, its signals arrive
 * once; and hosts that make it hard: under a seccomp filter, without
 * privilege, with a first thread that has ended.
 */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/seccomp.h"
#include "tests/unit/stopped.h"

/* One thread per call that waits; result and errno of the call. */
enum call { READ, FUTEX, SLEEP, POLL, SELECT, EPOLL, SIGWAIT, RECEIVE, CALLS };

static struct waiting {
	enum call call;
	int fds[2];
	sem_t semaphore;
	volatile long result;
	volatile int error;
	volatile bool done;
	volatile pid_t tid;
} waiting[CALLS];

static long wait_in(struct waiting *at)
{
	struct timespec two = {2, 0};
	struct epoll_event event = {.events = EPOLLIN};
	struct pollfd poll_for = {.fd = at->fds[0], .events = POLLIN};
	fd_set set;
	sigset_t signals;
	char byte;
	int fd;

	switch (at->call) {
	case READ:
		return read(at->fds[0], &byte, 1) - 1;
	case FUTEX:
		return sem_wait(&at->semaphore);
	case SLEEP:
		return nanosleep(&two, NULL);
	case POLL:
		return poll(&poll_for, 1, -1) - 1;
	case SELECT:
		FD_ZERO(&set);
		FD_SET(at->fds[0], &set);
		return select(at->fds[0] + 1, &set, NULL, NULL, NULL) - 1;
	case EPOLL:
		fd = epoll_create1(0);
		epoll_ctl(fd, EPOLL_CTL_ADD, at->fds[0], &event);
		return epoll_wait(fd, &event, 1, -1) - 1;
	case SIGWAIT:
		sigemptyset(&signals);
		sigaddset(&signals, SIGUSR2);
		return sigwaitinfo(&signals, NULL) - SIGUSR2;
	default:
		return recv(at->fds[0], &byte, 1, 0) - 1;
	}
}

static void *wait_thread(void *data)
{
	struct waiting *at = data;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	at->tid = gettid();
	at->result = wait_in(at);
	at->error = errno;
	at->done = true;
	return NULL;
}

static void wait_end(struct waiting *at)
{
	if (at->call == FUTEX)
		sem_post(&at->semaphore);
	else if (at->call == SIGWAIT)
		syscall(SYS_tgkill, getpid(), at->tid, SIGUSR2);
	else if (at->call != SLEEP)
		ck_assert_int_eq(write(at->fds[1], "x", 1), 1);
}

/* With ptrace every call goes on waiting, with the signal those that SA_RESTART restarts. */
START_TEST(test_calls_go_on)
{
	const struct timeval limit = {30, 0};
	pthread_t threads[CALLS];
	size_t i;

	for (i = 0; i < CALLS; i++) {
		struct waiting *at = &waiting[i];

		at->call = (enum call)i;
		at->done = false;
		if (i == RECEIVE)
			ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, at->fds), 0);
		else
			ck_assert_int_eq(pipe(at->fds), 0);
		setsockopt(at->fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		sem_init(&at->semaphore, 0, 0);
		pthread_create(&threads[i], NULL, wait_thread, at);
	}
	usleep(100000);
	for (i = 0; i < 50; i++)
		ck_assert_msg(stop(ways[_i], look_still, NULL), "%s", result.why);
	usleep(50000);
	for (i = 0; i < CALLS; i++) {
		bool goes_on = !_i || i == READ || i == FUTEX;

		if (goes_on)
			ck_assert_msg(
				!waiting[i].done, "call %zu ended, errno %d", i, waiting[i].error);
		if (!waiting[i].done)
			wait_end(&waiting[i]);
	}
	for (i = 0; i < CALLS; i++) {
		pthread_join(threads[i], NULL);
		if (!_i || i == READ || i == FUTEX)
			ck_assert_msg(
				waiting[i].result == 0, "call %zu errno %d", i, waiting[i].error);
	}
}
END_TEST

static void look_and_send(const struct world *world, void *data)
{
	size_t i;

	for (i = 1; i < world->thread_count; i++)
		raw(SYS_tgkill, *(pid_t *)data, world->threads[i].tid, SIGRTMIN + 3);
}

/* Somebody sends signals all the time, and look itself does: each arrives once. */
START_TEST(test_signals_arrive_once)
{
	const int number = SIGRTMIN + 3, sent = 3000;
	volatile bool end = false;
	pid_t self = getpid(), pid;
	pthread_t threads[3];
	int i, status, stops = 0;

	signal(number, count_signal);
	arrived = 0;
	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, runner, (void *)&end);
	pid = fork();
	if (!pid) {
		for (i = 0; i < sent; i++)
			while (sigqueue(self, number, (union sigval){0}))
				usleep(100);
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG)) {
		ck_assert_msg(stop(ways[_i], look_and_send, &self), "%s", result.why);
		stops++;
	}
	end = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	ck_assert_int_eq(arrived, sent + 3 * stops);
}
END_TEST

/* The user stops and continues the whole process while we stop the world. */
START_TEST(test_job_control)
{
	volatile bool end = false;
	pid_t self = getpid(), pid;
	pthread_t threads[3];
	int i, status;

	for (i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, runner, (void *)&end);
	pid = fork();
	if (!pid) {
		for (i = 0; i < 100; i++) {
			kill(self, SIGSTOP);
			usleep(500);
			kill(self, SIGCONT);
			usleep(500);
		}
		_exit(0);
	}
	while (!waitpid(pid, &status, WNOHANG))
		ck_assert_msg(stop(ways[_i], look_still, NULL), "%s", result.why);
	end = true;
	for (i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* Runs body in a process of its own; its exit status. */
static int in_child(int (*body)(unsigned int), unsigned int way)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(body(way));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int filtered(unsigned int action)
{
	static volatile bool end;
	pthread_t thread;

	pthread_create(&thread, NULL, runner, (void *)&end);
	if (!seccomp_deny_tracing(action))
		return 77;
	if (!stop(WORLD_WAYS, look_still, NULL) || moved)
		return 1;
	return result.method == WORLD_SIGNAL ? 0 : 2;
}

START_TEST(test_seccomp)
{
	static const unsigned int actions[] = {
		SECCOMP_RET_ERRNO | EPERM, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_RET_KILL_PROCESS};

	ck_assert_int_eq(in_child(filtered, actions[_i]), 0);
}
END_TEST

static void *after_leader(void *way)
{
	int i;

	usleep(50000);
	for (i = 0; i < 20; i++)
		if (!stop((unsigned int)(uintptr_t)way, look_still, NULL) || looked_threads != 2)
			_exit(1);
	_exit(0);
}

static int leader_ends(unsigned int way)
{
	static sem_t never;
	pthread_t thread;

	sem_init(&never, 0, 0);
	pthread_create(&thread, NULL, idle, &never);
	pthread_create(&thread, NULL, after_leader, (void *)(uintptr_t)way);
	pthread_exit(NULL);
}

START_TEST(test_first_thread_has_ended)
{
	ck_assert_int_eq(in_child(leader_ends, ways[_i]), 0);
}
END_TEST

static int without_privilege(unsigned int dumpable)
{
	static volatile bool end;
	pthread_t thread;

	if (!geteuid() && (setgid(65534) || setuid(65534)))
		return 77;
	prctl(PR_SET_DUMPABLE, dumpable);
	pthread_create(&thread, NULL, runner, (void *)&end);
	if (!stop(WORLD_WAY_PTRACE, look_still, NULL))
		return result.error;
	return prctl(PR_GET_DUMPABLE) == (int)dumpable ? 0 : 100;
}

START_TEST(test_without_privilege)
{
	ck_assert_int_eq(in_child(without_privilege, (unsigned int)_i), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("world-host");
	TCase *hosts = tcase_create("hosts");
	SRunner *runs = srunner_create(suite);

	tcase_set_timeout(hosts, 120);
	tcase_add_loop_test(hosts, test_calls_go_on, 0, 2);
	tcase_add_loop_test(hosts, test_signals_arrive_once, 0, 2);
	tcase_add_loop_test(hosts, test_job_control, 0, 2);
	tcase_add_loop_test(hosts, test_first_thread_has_ended, 0, 2);
	tcase_add_loop_test(hosts, test_without_privilege, 0, 2);
	tcase_add_loop_test(hosts, test_seccomp, 0, 3);
	suite_add_tcase(suite, hosts);
	srunner_set_tap(runs, "-");
	srunner_run_all(runs, CK_SILENT);
	srunner_free(runs);
	return 0;
}
