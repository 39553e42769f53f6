/* SPDX-License-Identifier: MIT */
/*
 * rough WHAT PLAIN.so [SMALL.so LARGE.so LIVING.so]: a host that does to itself
 * what hosts do: locks its memory, limits its addresses, has tiny stacks, forks
 * where there is no memory.  The plugins are threadlocal.c, with thread-locals
 * of several sizes.
 */
#include "host.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define BLOCKS 40
#define MEBIBYTE ((size_t)1 << 20)

typedef void make_fn(void **slot, size_t size);
typedef void free_fn(void *block);

static make_fn *make, *make_zeroed;
static free_fn *give_back;

static void *plugin_begin(const char *path)
{
	void *handle = plugin_open(path);

	make = (make_fn *)plugin_symbol(handle, "make");
	make_zeroed = (make_fn *)plugin_symbol(handle, "make_zeroed");
	give_back = (free_fn *)plugin_symbol(handle, "give_back");
	return handle;
}

static int is_zero(const unsigned char *p, size_t size)
{
	while (size && !*p) {
		p++;
		size--;
	}
	return !size;
}

static void locked(char **paths)
{
	void *blocks[BLOCKS];
	int zeroed = 1;

	plugin_begin(paths[0]);
	if (mlockall(MCL_CURRENT | MCL_FUTURE)) {
		dprintf(1, "ok memory cannot be locked here\n");
		return;
	}
	for (int i = 0; i < BLOCKS; i++) {
		make(&blocks[i], MEBIBYTE);
		memset(blocks[i], 0xee, MEBIBYTE);
	}
	for (int i = 0; i < BLOCKS; i++)
		give_back(blocks[i]);
	for (int i = 0; i < BLOCKS; i++) {
		make_zeroed(&blocks[i], MEBIBYTE);
		zeroed &= is_zero(blocks[i], MEBIBYTE);
	}
	verdict(zeroed, "calloc is zero where memory is locked");
}

static void limited(char **paths)
{
	struct rlimit limit = { 4096 * MEBIBYTE, 4096 * MEBIBYTE };
	void *block;
	int had = 0;

	plugin_begin(paths[0]);
	make(&block, 100);
	verdict(!setrlimit(RLIMIT_AS, &limit), "the host limits its addresses");
	for (int i = 0; i < BLOCKS; i++) {
		block = malloc(16 * MEBIBYTE);
		forget(block);
		had += block != NULL;
	}
	verdict(had == BLOCKS, "the host has memory under the limit");
	make(&block, 16 * MEBIBYTE);
	verdict(block != NULL, "and so has the plugin");
}

static void *small_thread(void *unused)
{
	static void *block;

	make(&block, 100);
	return unused;
}

static void small(char **paths)
{
	pthread_attr_t attributes;
	pthread_t thread;

	plugin_begin(paths[0]);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	verdict(!pthread_create(&thread, &attributes, small_thread, NULL) &&
		!pthread_join(thread, NULL), "a thread with the smallest stack allocates");
}

/* In the child of a fork: room again, and as ever. */
static void child_run(void *handle, const struct rlimit *room, const char *path)
{
	void *block;

	setrlimit(RLIMIT_AS, room);
	for (size_t i = 0; i < 100; i++)
		make(&block, 100 + i);
	dlclose(handle);
	plugin_begin(path);
	make(&block, 100);
	_exit(!block);
}

static void forked(char **paths)
{
	struct rlimit room, none;
	void *handle = plugin_begin(paths[0]), *block;
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	int status = -1;
	pid_t child;

	make(&block, 100);
	getrlimit(RLIMIT_AS, &room);
	if (!file || fscanf(file, "%ld", &pages) != 1)
		die("statm cannot be read");
	none = room;
	none.rlim_cur = (rlim_t)pages * 4096 + 65536;
	setrlimit(RLIMIT_AS, &none);
	child = fork();
	if (!child)
		child_run(handle, &room, paths[0]);
	waitpid(child, &status, 0);
	verdict(child > 0 && !status, "the child of a fork without memory goes on");
}

static sem_t ready, end;
static void **living_slot;

/* Touches the thread-locals of two plugins, and never asks the loader again. */
static void *threadlocal_thread(void *handles)
{
	((void **(*)(void))plugin_symbol(((void **)handles)[0], "slot"))();
	living_slot = ((void **(*)(void))plugin_symbol(((void **)handles)[1], "slot"))();
	scrub_stack();
	sem_post(&ready);
	sem_wait(&end);
	return NULL;
}

/* The last plugin has the number that the first had, and a larger block. */
static void threadlocal(char **paths)
{
	void *handles[2] = { NULL, plugin_open(paths[3]) };
	pthread_t thread;

	handles[0] = plugin_open(paths[1]);
	sem_init(&ready, 0, 0);
	sem_init(&end, 0, 0);
	pthread_create(&thread, NULL, threadlocal_thread, handles);
	sem_wait(&ready);
	dlclose(handles[0]);
	handles[0] = plugin_begin(paths[2]);
	make(living_slot, 5000);
	pattern_fill(*living_slot, 5000, 3);
	scrub_stack();
	dlclose(handles[0]);
	verdict(pattern_holds(*living_slot, 5000, 3),
		"a block that a living plugin's thread-local holds is whole");
	sem_post(&end);
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(char **paths);
	} all[] = {
		{ "locked", locked }, { "limited", limited }, { "small", small },
		{ "forked", forked }, { "threadlocal", threadlocal },
	};

	watchdog(60);
	for (size_t i = 0; argc == 6 && i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcmp(argv[1], all[i].name)) {
			all[i].run(argv + 2);
			return 0;
		}
	die("usage: rough WHAT PLAIN.so SMALL.so LARGE.so LIVING.so");
}
