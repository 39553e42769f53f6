/* SPDX-License-Identifier: MIT */
/*
 * A host of mapper.c, streamer.c and semaphores.c.  It remembers the last address that it was given in
 * disguise, so that only what it is told to holds a reference.
 *
 *	load PATH
 *	call FUNCTION [NUMBER]	forgets the result; an address becomes the last one
 *	hold FUNCTION [NUMBER]	keeps the result in a global variable
 *	reserve PAGES		maps and holds pages without access, the NUMBER of the next call
 *	drop			forgets what it holds
 *	unmap PAGES		gives what it holds back, from its start
 *	over PAGES		maps pages of its own over it
 *	resize FROM TO		with mremap, and holds the result
 *	there [PAGE]		whether that page of the last one is mapped: "ok yes", "ok no"
 *	stack PAGES		runs a thread on what it holds, and forgets it; it waits
 *	signals PAGES		the same, and that is the thread's signal stack only
 *	join			ends that thread
 *	fork			a child that unloads, and tells whether the last one is there
 *	file PATH		opens it, as the NUMBER of the next call
 *	stream			opens a stream of its own, after it has closed another
 *	close			closes what it holds, a stream
 *	semaphore NAME		opens it, after another one of its own
 *	post			posts to what it holds, or to that one: "ok VALUE"
 *	give			closes what it holds, or that one
 *	unload			"ok gone", "ok stays"
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define PAGE 4096L

static void *handle;
static void *held;
static unsigned long last; /* inverted */
static long file = -1;
static pthread_t thread;
static atomic_int running, over;
static stack_t signal_stack;
static sem_t *semaphore;

NOINLINE static long call(const char *function, long number)
{
	long (*symbol)(long) = (long (*)(long))plugin_symbol(handle, function);
	long result = symbol(file >= 0 ? file : number);

	NOT_A_TAIL_CALL();
	last = ~(unsigned long)result;
	return result;
}

NOINLINE static void obey_call(const char *function, long number)
{
	dprintf(1, "ok %s\n", call(function, number) == -1 ? "-1" : "");
}

NOINLINE static void obey_hold(const char *function, long number)
{
	held = (void *)call(function, number);
	dprintf(1, "ok\n");
}

static const char *there(long page)
{
	unsigned char vector[1];

	return mincore((void *)(~last + (unsigned long)(page * PAGE)), 1, vector) ? "no" : "yes";
}

static void *thread_run(void *unused)
{
	if (signal_stack.ss_size && sigaltstack(&signal_stack, NULL))
		die("sigaltstack");
	memset(&signal_stack, 0, sizeof(signal_stack));
	scrub_stack();
	atomic_store(&running, 1);
	while (!atomic_load(&over))
		sched_yield();
	return unused;
}

NOINLINE static void stack_run(long pages, int signals)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	if (signals)
		signal_stack = (stack_t){.ss_sp = held, .ss_size = (size_t)(pages * PAGE)};
	else
		pthread_attr_setstack(&attributes, held, (size_t)(pages * PAGE));
	held = NULL;
	if (pthread_create(&thread, &attributes, thread_run, NULL))
		die("pthread_create");
	memset(&attributes, 0, sizeof(attributes));
	while (!atomic_load(&running))
		sched_yield();
	dprintf(1, "ok\n");
}

NOINLINE static void stack_end(void)
{
	atomic_store(&over, 1);
	pthread_join(thread, NULL);
	thread = 0;
	dprintf(1, "ok\n");
}

static void unload(void)
{
	int gone = plugin_close(handle);

	handle = NULL;
	dprintf(1, "ok %s\n", gone ? "gone" : "stays");
}

static void fork_unload(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		plugin_close(handle);
		dprintf(1, "ok %s\n", there(0));
		_exit(0);
	}
	waitpid(child, &status, 0);
}

static void obey_held(const char *word, long one, long other)
{
	if (!strcmp(word, "drop"))
		held = NULL;
	else if (!strcmp(word, "unmap") && munmap(held, (size_t)(one * PAGE)))
		die("munmap");
	else if (!strcmp(word, "over") &&
		 mmap(held, (size_t)(one * PAGE), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != held)
		die("mmap");
	else if (!strcmp(word, "resize"))
		held = mremap(held, (size_t)(one * PAGE), (size_t)(other * PAGE), MREMAP_MAYMOVE);
	dprintf(1, held == MAP_FAILED ? "error\n" : "ok\n");
}

NOINLINE static void stream_open(void)
{
	static FILE *stream;
	FILE *first = fopen("/dev/null", "r"), *second = fopen("/dev/null", "r");

	fclose(first);
	stream = second;
	dprintf(1, stream ? "ok\n" : "error\n");
}

NOINLINE static void stream_close(void)
{
	dprintf(1, fclose(held) ? "error\n" : "ok\n");
	held = NULL;
}

NOINLINE static void semaphore_open(const char *name)
{
	char other[600];

	snprintf(other, sizeof(other), "%s.other", name);
	if (sem_open(other, O_CREAT, 0600, 0) == SEM_FAILED || sem_unlink(other))
		die("sem_open %s: %m", other);
	semaphore = sem_open(name, O_CREAT, 0600, 0);
	dprintf(1, semaphore == SEM_FAILED ? "error\n" : "ok\n");
}

NOINLINE static void semaphore_post(void)
{
	sem_t *of = held ? held : semaphore;
	int value = -1;

	if (sem_post(of) || sem_getvalue(of, &value))
		die("sem_post: %m");
	dprintf(1, "ok %d\n", value);
}

NOINLINE static void semaphore_give(void)
{
	if (sem_close(held ? held : semaphore))
		die("sem_close: %m");
	if (held)
		held = NULL;
	else
		semaphore = NULL;
	dprintf(1, "ok\n");
}

NOINLINE static void reserve(long pages)
{
	held = mmap(NULL, (size_t)(pages * PAGE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	file = (long)held + PAGE;
	dprintf(1, held == MAP_FAILED ? "error\n" : "ok\n");
}

static void obey(const char *line)
{
	char word[3][512] = {"", "", ""};

	sscanf(line, "%511s %511s %511s", word[0], word[1], word[2]);
	if (!strcmp(word[0], "load"))
		dprintf(1, (handle = plugin_open(word[1])) ? "ok\n" : "error\n");
	else if (!strcmp(word[0], "call"))
		obey_call(word[1], atol(word[2]));
	else if (!strcmp(word[0], "hold"))
		obey_hold(word[1], atol(word[2]));
	else if (!strcmp(word[0], "there"))
		dprintf(1, "ok %s\n", there(atol(word[1])));
	else if (!strcmp(word[0], "stack") || !strcmp(word[0], "signals"))
		stack_run(atol(word[1]), word[0][1] == 'i');
	else if (!strcmp(word[0], "join"))
		stack_end();
	else if (!strcmp(word[0], "fork"))
		fork_unload();
	else if (!strcmp(word[0], "file"))
		dprintf(1, "ok %ld\n", file = open(word[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	else if (!strcmp(word[0], "reserve"))
		reserve(atol(word[1]));
	else if (!strcmp(word[0], "stream"))
		stream_open();
	else if (!strcmp(word[0], "close"))
		stream_close();
	else if (!strcmp(word[0], "semaphore"))
		semaphore_open(word[1]);
	else if (!strcmp(word[0], "post"))
		semaphore_post();
	else if (!strcmp(word[0], "give"))
		semaphore_give();
	else if (!strcmp(word[0], "unload"))
		unload();
	else
		obey_held(word[0], atol(word[1]), atol(word[2]));
}

int main(void)
{
	char line[2048];

	watchdog(300);
	while (read_command(line, sizeof(line))) {
		obey(line);
		scrub_stack();
	}
	return 0;
}
