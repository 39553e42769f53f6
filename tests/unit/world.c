/* SPDX-License-Identifier: MIT */
/*
 * Stopping the world: all threads stand still, all go on as if nothing had
 * been, and every way in which it cannot be done ends in a clean failure.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/stopped.h"

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
	if (_i) /* the host has SIGURG: a real-time signal is taken */
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

int main(void)
{
	Suite *suite = suite_create("world");
	TCase *stops = tcase_create("stops"), *fails = tcase_create("fails");
	SRunner *runs = srunner_create(suite);

	tcase_set_timeout(stops, 120);
	tcase_add_loop_test(stops, test_alone, 0, 2);
	tcase_add_loop_test(stops, test_seventeen_threads, 0, 2);
	tcase_add_loop_test(stops, test_five_hundred_threads, 0, 2);
	tcase_add_loop_test(stops, test_threads_come_and_go, 0, 2);
	tcase_add_test(stops, test_host_has_sigurg);
	tcase_add_loop_test(stops, test_nothing_is_left, 0, 2);
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
