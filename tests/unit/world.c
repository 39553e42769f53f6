/* SPDX-License-Identifier: MIT */
/*
 * Stopping the world: all threads stand still, all go on as if nothing had
 * been, and every way in which it cannot be done ends in a clean failure.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/world-ways.h"
#include "tests/unit/seccomp.h"

static const unsigned int ways[] = { WORLD_WAY_PTRACE, WORLD_WAY_SIGNAL };
static const enum world_method methods[] = { WORLD_PTRACE, WORLD_SIGNAL };

static volatile size_t looked_threads;
static volatile unsigned long ticks;	/* of threads that run all the time */
static volatile bool moved;

/* The world stands still: what others write all the time does not change. */
static void look_still(const struct world *world, void *data)
{
	const unsigned long before = ticks;
	volatile int i;

	(void)data;
	for (i = 0; i < 20000; i++)
		;
	moved = before != ticks;
	looked_threads = world->thread_count;
}

static struct world_result result;

__attribute__((noinline)) static bool stop(unsigned int way,
					   void (*look)(const struct world *, void *), void *data)
{
	struct world_caller caller;

	world_caller_here(&caller);
	return world_stop_ways(way, &caller, look, data, &result);
}

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

static void *idle(void *data)
{
	sem_wait(data);
	return NULL;
}

static void *runner(void *data)
{
	while (!*(volatile bool *)data)
		ticks++;
	return NULL;
}

START_TEST(test_alone)
{
	errno = 77;
	ck_assert(stop(ways[_i], look_still, NULL));
	ck_assert_int_eq(errno, 77);
	ck_assert_int_eq(result.method, methods[_i]);
	ck_assert_uint_eq(looked_threads, 1);
}
END_TEST

static void many(unsigned int way, size_t count)
{
	pthread_t threads[512], run;
	volatile bool end = false;
	size_t i;
	sem_t wait;

	sem_init(&wait, 0, 0);
	pthread_create(&run, NULL, runner, (void *)&end);
	for (i = 0; i + 2 < count; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, idle, &wait), 0);
	for (i = 0; i < 10; i++) {
		ck_assert_msg(stop(way, look_still, NULL), "%s", result.why);
		ck_assert_uint_eq(looked_threads, count);
		ck_assert_uint_eq(result.thread_count, count);
		ck_assert(!moved);
	}
	end = true;
	for (i = 0; i + 2 < count; i++)
		sem_post(&wait);
	for (i = 0; i + 2 < count; i++)
		pthread_join(threads[i], NULL);
	pthread_join(run, NULL);
}

START_TEST(test_seventeen_threads)
{
	many(ways[_i], 17);
}
END_TEST

START_TEST(test_five_hundred_threads)
{
	many(ways[_i], 500);
}
END_TEST

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
	struct timespec two = { 2, 0 };
	struct epoll_event event = { .events = EPOLLIN };
	struct pollfd poll_for = { .fd = at->fds[0], .events = POLLIN };
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
	const struct timeval limit = { 30, 0 };
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
			ck_assert_msg(!waiting[i].done, "call %zu ended, errno %d", i,
				      waiting[i].error);
		if (!waiting[i].done)
			wait_end(&waiting[i]);
	}
	for (i = 0; i < CALLS; i++) {
		pthread_join(threads[i], NULL);
		if (!_i || i == READ || i == FUTEX)
			ck_assert_msg(waiting[i].result == 0, "call %zu errno %d", i,
				      waiting[i].error);
	}
}
END_TEST

static void *nothing(void *data)
{
	return data;
}

static void *spawner(void *data)
{
	while (!*(volatile bool *)data) {
		pthread_t threads[8];
		size_t i, n;

		for (n = 0; n < 8; n++)
			if (pthread_create(&threads[n], NULL, nothing, NULL))
				break;
		for (i = 0; i < n; i++)
			pthread_join(threads[i], NULL);
	}
	return NULL;
}

START_TEST(test_threads_come_and_go)
{
	const char *loops = getenv("RELIB_TEST_STOPS");
	long i, count = loops ? atol(loops) : 300;
	volatile bool end = false;
	pthread_t spawners[4];

	for (i = 0; i < 4; i++)
		pthread_create(&spawners[i], NULL, i ? spawner : runner, (void *)&end);
	for (i = 0; i < count; i++) {
		ck_assert_msg(stop(ways[_i], look_still, NULL), "stop %ld: %s", i, result.why);
		ck_assert(!moved);
	}
	end = true;
	for (i = 0; i < 4; i++)
		pthread_join(spawners[i], NULL);
}
END_TEST

static volatile int arrived;

static void count_signal(int number)
{
	(void)number;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
}

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
			while (sigqueue(self, number, (union sigval){ 0 }))
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

static void look_and_fault(const struct world *world, void *data)
{
	(void)world;
	*(volatile int *)data = 1;
}

START_TEST(test_fault_is_caught)
{
	struct sigaction before, after;
	int i;

	signal(SIGSEGV, count_signal);
	sigaction(SIGSEGV, NULL, &before);
	for (i = 0; i < 3; i++) {
		ck_assert(!stop(WORLD_WAYS & (ways[_i] | WORLD_WAY_SIGNAL), look_and_fault, NULL));
		ck_assert_int_eq(result.method, WORLD_NONE);
		ck_assert_int_eq(result.error, EFAULT);
		ck_assert_ptr_nonnull(result.why);
	}
	sigaction(SIGSEGV, NULL, &after);
	ck_assert(before.sa_handler == after.sa_handler);
	ck_assert(stop(ways[_i], look_still, NULL));
	signal(SIGSEGV, SIG_DFL);
}
END_TEST

static void look_deep(const struct world *world, void *data)
{
	volatile char room[4096];

	room[0] = 1;
	if (room[0])
		look_deep(world, (char *)data + room[0]);
	room[1] = 2;
}

/* The stack of the helper, which is ours, ends in a guard page. */
START_TEST(test_overflow_is_caught)
{
	ck_assert(!stop(WORLD_WAY_PTRACE, look_deep, NULL));
	ck_assert_int_eq(result.error, EFAULT);
}
END_TEST

static void *deaf(void *data)
{
	sigset_t all;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	sem_post(&((sem_t *)data)[0]);
	sem_wait(&((sem_t *)data)[1]);
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	return NULL;
}

/* A thread that blocks all signals: ptrace stops it, a signal cannot. */
START_TEST(test_blocked_signals)
{
	struct sigaction action;
	pthread_t thread;
	sem_t pair[2];

	sem_init(&pair[0], 0, 0);
	sem_init(&pair[1], 0, 0);
	pthread_create(&thread, NULL, deaf, pair);
	sem_wait(&pair[0]);
	if (_i)		/* the host has SIGURG: a real-time signal is taken */
		signal(SIGURG, count_signal);
	ck_assert(!stop(WORLD_WAY_SIGNAL, look_still, NULL));
	ck_assert_int_eq(result.method, WORLD_NONE);
	ck_assert_int_eq(result.error, EBUSY);
	sigaction(64, NULL, &action);
	ck_assert(action.sa_handler == SIG_DFL);
	ck_assert(stop(WORLD_WAYS, look_still, NULL));
	ck_assert_int_eq(result.method, WORLD_PTRACE);
	sem_post(&pair[1]);
	pthread_join(thread, NULL);
	signal(SIGURG, SIG_DFL);
}
END_TEST

START_TEST(test_host_has_sigurg)
{
	volatile bool end = false;
	struct sigaction action;
	pthread_t thread;
	int i;

	pthread_create(&thread, NULL, runner, (void *)&end);
	signal(SIGURG, count_signal);
	arrived = 0;
	for (i = 0; i < 20; i++)
		ck_assert(stop(WORLD_WAY_SIGNAL, look_still, NULL));
	ck_assert_int_eq(arrived, 0);
	sigaction(SIGURG, NULL, &action);
	ck_assert(action.sa_handler == count_signal);
	signal(SIGURG, SIG_DFL);
	end = true;
	pthread_join(thread, NULL);
}
END_TEST

static size_t entries(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* No child, no SIGCHLD, no descriptor, no blocked signal is left. */
START_TEST(test_nothing_is_left)
{
	size_t before = entries("/proc/self/fd");
	sigset_t mask, after;
	int i, k;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	for (k = 0; k < 2; k++) {
		signal(SIGCHLD, k ? SIG_IGN : count_signal);
		arrived = 0;
		for (i = 0; i < 20; i++) {
			ck_assert_msg(stop(ways[_i], look_still, NULL), "%s", result.why);
			ck_assert_int_eq(waitpid(-1, NULL, WNOHANG | __WALL), -1);
			ck_assert_int_eq(errno, ECHILD);
		}
		ck_assert_int_eq(arrived, 0);
	}
	signal(SIGCHLD, SIG_DFL);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	ck_assert_int_eq(memcmp(&mask, &after, 8), 0);
	ck_assert_uint_eq(entries("/proc/self/fd"), before);
}
END_TEST

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
	static const unsigned int actions[] = { SECCOMP_RET_ERRNO | EPERM,
						SECCOMP_RET_ERRNO | ENOSYS,
						SECCOMP_RET_KILL_PROCESS };

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
	Suite *suite = suite_create("world");
	TCase *stops = tcase_create("stops"), *fails = tcase_create("fails");
	SRunner *runs = srunner_create(suite);

	tcase_set_timeout(stops, 120);
	tcase_add_loop_test(stops, test_alone, 0, 2);
	tcase_add_loop_test(stops, test_seventeen_threads, 0, 2);
	tcase_add_loop_test(stops, test_five_hundred_threads, 0, 2);
	tcase_add_loop_test(stops, test_calls_go_on, 0, 2);
	tcase_add_loop_test(stops, test_threads_come_and_go, 0, 2);
	tcase_add_loop_test(stops, test_signals_arrive_once, 0, 2);
	tcase_add_loop_test(stops, test_job_control, 0, 2);
	tcase_add_test(stops, test_host_has_sigurg);
	tcase_add_loop_test(stops, test_nothing_is_left, 0, 2);
	tcase_add_loop_test(stops, test_first_thread_has_ended, 0, 2);
	tcase_add_loop_test(stops, test_without_privilege, 0, 2);
	tcase_add_loop_test(stops, test_seccomp, 0, 3);
	suite_add_tcase(suite, stops);
	tcase_add_loop_test(fails, test_fault_is_caught, 0, 2);
	tcase_add_test(fails, test_overflow_is_caught);
	tcase_add_loop_test(fails, test_blocked_signals, 0, 2);
	suite_add_tcase(suite, fails);
	srunner_set_tap(runs, "-");
	srunner_run_all(runs, CK_SILENT);
	srunner_free(runs);
	return 0;
}
