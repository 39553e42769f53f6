/* SPDX-License-Identifier: MIT */
/* A plugin that creates threads in every way there is, each in a function of its own. */
#include "plugin.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <threads.h>
#include <unistd.h>

static pthread_key_t key;
static sem_t reached, go_on;
static pthread_t held;

static void *returns(void *argument)
{
	return argument;
}

/* Waits for a thread that cannot be joined: it is the kernel that has to forget it. */
static void await_end(pid_t tid)
{
	while (syscall(SYS_tgkill, getpid(), tid, 0) == 0)
		sched_yield();
}

PLUGIN long make_returning(long count)
{
	pthread_t thread;
	void *result;

	for (long i = 0; i < count; i++) {
		if (pthread_create(&thread, NULL, returns, &key) != 0)
			return -1;
		pthread_join(thread, &result);
		if (result != &key)
			return -2;
	}
	return count;
}

static void *exits(void *argument)
{
	pthread_exit(argument);
}

PLUGIN long make_exiting(long count)
{
	pthread_t thread;
	void *result;

	for (long i = 0; i < count; i++) {
		if (pthread_create(&thread, NULL, exits, &key) != 0)
			return -1;
		pthread_join(thread, &result);
		if (result != &key)
			return -2;
	}
	return count;
}

static void clean(void *argument)
{
	++*(int *)argument;
}

static void *waits(void *argument)
{
	pthread_cleanup_push(clean, argument);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return NULL;
}

PLUGIN long make_cancelled(long count)
{
	pthread_t thread;
	void *result;
	int cleaned = 0;

	for (long i = 0; i < count; i++) {
		if (pthread_create(&thread, NULL, waits, &cleaned) != 0)
			return -1;
		while (i % 2 && cleaned < i) /* every other one before it runs, as may be */
			sched_yield();
		pthread_cancel(thread);
		pthread_join(thread, &result);
		if (result != PTHREAD_CANCELED)
			return -2;
	}
	return cleaned <= count ? count : -3;
}

static _Atomic pid_t detached_tid;

static void *is_detached(void *argument)
{
	detached_tid = (pid_t)syscall(SYS_gettid);
	return argument;
}

PLUGIN long make_detached(long count)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (long i = 0; i < count; i++) {
		detached_tid = 0;
		if (pthread_create(&thread, &attr, is_detached, NULL) != 0)
			return -1;
		while (!detached_tid)
			sched_yield();
		await_end(detached_tid);
	}
	pthread_attr_destroy(&attr);
	return count;
}

static int returns_number(void *argument)
{
	return argument == &key ? 42 : 0;
}

PLUGIN long make_c11(long count)
{
	thrd_t thread;
	int result;

	for (long i = 0; i < count; i++) {
		if (thrd_create(&thread, returns_number, &key) != thrd_success)
			return -1;
		thrd_join(thread, &result);
		if (result != 42)
			return -2;
	}
	return count;
}

PLUGIN long make_failing(long count)
{
	pthread_attr_t attr;
	pthread_t thread;
	long failed = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)1 << 46);
	for (long i = 0; i < count; i++)
		failed += pthread_create(&thread, &attr, returns, NULL) == EAGAIN;
	pthread_attr_destroy(&attr);
	return failed;
}

static int by_clone(void *argument)
{
	return *(volatile int *)argument != 7;
}

/* A thread of libc's clone, with an address that the kernel clears at its end. */
PLUGIN long make_cloned(long count)
{
	size_t size = 65536;
	char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int seven = 7, flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			       CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	for (long i = 0; i < count; i++) {
		volatile int parent = 0, child = 1;
		int tid = clone(by_clone, stack + size, flags, &seven, &parent, NULL, &child);

		if (tid <= 0 || parent != tid)
			return -1;
		while (child)
			sched_yield();
	}
	munmap(stack, size);
	return count;
}

/* The call becomes a jump: who called is not to be seen. */
static pthread_t jumped;
PLUGIN long make_by_jump(long count)
{
	(void)count;
	return pthread_create(&jumped, NULL, returns, NULL);
}

PLUGIN long join_jumped(long count)
{
	(void)count;
	return pthread_join(jumped, NULL);
}

/* Sets its key again until the last round, and stands still there. */
static void again(void *value)
{
	if ((char *)value < (char *)NULL + 4) {
		pthread_setspecific(key, (char *)value + 1);
		return;
	}
	sem_post(&reached);
	sem_wait(&go_on);
}

static void *holds(void *argument)
{
	prctl(PR_SET_NAME, "holder");
	pthread_setspecific(key, (char *)NULL + 1);
	return argument;
}

PLUGIN long hold(long count)
{
	(void)count;
	sem_init(&reached, 0, 0);
	sem_init(&go_on, 0, 0);
	if (pthread_key_create(&key, again) != 0 ||
		pthread_create(&held, NULL, holds, NULL) != 0)
		return -1;
	return sem_wait(&reached);
}

PLUGIN long release(long count)
{
	(void)count;
	sem_post(&go_on);
	return pthread_join(held, NULL);
}

/* A child process that leaves a trace, and what it makes there. */
PLUGIN long fork_one(long count)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		forget(malloc(1));
		_exit(make_returning(count) == count ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	return status == 0 ? pid : -1;
}

/* A thread that ends by the system call alone. */
static void *goes(void *argument)
{
	(void)argument;
	detached_tid = (pid_t)syscall(SYS_gettid);
	syscall(SYS_exit, 0);
	return NULL;
}

PLUGIN long make_vanishing(long count)
{
	pthread_t thread;

	for (long i = 0; i < count; i++) {
		detached_tid = 0;
		if (pthread_create(&thread, NULL, goes, NULL) != 0)
			return -1;
		while (!detached_tid)
			sched_yield();
		await_end(detached_tid);
	}
	return count;
}

/* So many at once, all of them alive when the last was created. */
PLUGIN long make_many(long count)
{
	pthread_t *threads = calloc((size_t)count, sizeof(*threads));
	pthread_attr_t attr;
	long made = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	sem_init(&go_on, 0, 0);
	while (made < count &&
		pthread_create(&threads[made], &attr, (void *(*)(void *))sem_wait, &go_on) == 0)
		made++;
	for (long i = 0; i < made; i++)
		sem_post(&go_on);
	for (long i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attr);
	free(threads);
	return made;
}
