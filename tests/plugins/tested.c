/* SPDX-License-Identifier: MIT */
/*
 * Entries for relib test, each with one way to misbehave.  Which cycle it is
 * stands in the file that TESTED_COUNT names: nothing else outlives a load.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ENTRY __attribute__((visibility("default"))) int
#define USED(value) __asm__ volatile("" : : "r"(value) : "memory")

static int cycle_count(void)
{
	const char *path = getenv("TESTED_COUNT");
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND, 0600), count;

	if (fd < 0 || write(fd, "x", 1) != 1)
		return -1;
	count = lseek(fd, 0, SEEK_END);
	close(fd);
	return count;
}

ENTRY plugin_main(int argc, char **argv)
{
	char *block = malloc(argc + 100);

	USED(block);
	(void)argv;
	free(block);
	return 0;
}

static void leak(size_t size)
{
	char *block = malloc(size);

	USED(block);
}

ENTRY leaks(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (int i = 0; i < 3; i++)
		leak(40);
	return 0;
}

ENTRY leaks_once(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (cycle_count() == 1)
		leak(40);
	return 0;
}

/* More in every cycle. */
ENTRY leaks_more(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (int i = cycle_count(); i > 0; i--)
		leak(10);
	return 0;
}

/* The host's argument refers to it until the next load. */
ENTRY keeps(int argc, char **argv)
{
	argv[argc - 1] = strdup(argv[argc - 1]);
	return 0;
}

/* A variable of the host's, if it has one. */
static void **host_slot(void)
{
	return dlsym(RTLD_DEFAULT, "slot");
}

ENTRY gives(int argc, char **argv)
{
	(void)argc, (void)argv;
	*host_slot() = malloc(64);
	return 0;
}

ENTRY points(int argc, char **argv)
{
	(void)argc, (void)argv;
	*host_slot() = (void *)plugin_main;
	return 0;
}

ENTRY opens(int argc, char **argv)
{
	(void)argc, (void)argv;
	return open("/dev/null", O_RDONLY) < 0;
}

/* Unseen by whoever looks at calls only. */
ENTRY opens_unseen(int argc, char **argv)
{
	int fd;

	(void)argc, (void)argv;
	__asm__ volatile("syscall"
			 : "=a"(fd)
			 : "a"(SYS_open), "D"("/dev/null"), "S"(O_RDONLY), "d"(0)
			 : "rcx", "r11", "memory");
	return fd < 0;
}

/* Touched, or there would be nothing in memory. */
ENTRY maps(int argc, char **argv)
{
	size_t size = 1 << 20;
	char *block;

	(void)argc, (void)argv;
	__asm__ volatile("movq %5, %%r10; movq $-1, %%r8; xorl %%r9d, %%r9d; syscall"
			 : "=a"(block)
			 : "a"(SYS_mmap), "D"(NULL), "S"(size), "d"(PROT_READ | PROT_WRITE),
			 "r"((long)(MAP_PRIVATE | MAP_ANONYMOUS))
			 : "rcx", "r8", "r9", "r10", "r11", "memory");
	if ((unsigned long)block > -4096ul)
		return 1;
	memset(block, 1, size);
	return 0;
}

static void on_signal(int number)
{
	(void)number;
}

ENTRY handles(int argc, char **argv)
{
	(void)argc, (void)argv;
	return signal(SIGUSR1, on_signal) == SIG_ERR;
}

static void *wait_for_ever(void *data)
{
	for (;;)
		pause();
	return data;
}

ENTRY starts(int argc, char **argv)
{
	pthread_t thread;

	(void)argc, (void)argv;
	return pthread_create(&thread, NULL, wait_for_ever, NULL);
}

ENTRY crashes_third(int argc, char **argv)
{
	(void)argc, (void)argv;
	if (cycle_count() == 3)
		raise(SIGSEGV);
	return 0;
}

ENTRY exits(int argc, char **argv)
{
	(void)argc, (void)argv;
	exit(4);
}

ENTRY fails(int argc, char **argv)
{
	(void)argc, (void)argv;
	return 7;
}

ENTRY moves(int argc, char **argv)
{
	(void)argc, (void)argv;
	return chdir("/");
}

ENTRY hangs(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (;;)
		pause();
	return 0;
}

ENTRY prints(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		printf("%s ", argv[i]);
	printf("printed\n");
	return 0;
}

/* --- what happens around the entry, when the build says so --------------------- */

#ifdef CRASHING_CONSTRUCTOR
__attribute__((constructor)) static void crash(void)
{
	abort();
}
#endif

#ifdef CRASHING_DESTRUCTOR
__attribute__((destructor)) static void crash(void)
{
	abort();
}
#endif

#ifdef HANGING_DESTRUCTOR
__attribute__((destructor)) static void hang(void)
{
	for (;;)
		pause();
}
#endif

#ifdef LACKING
ENTRY lacking_symbol(void);
ENTRY lacks(int argc, char **argv)
{
	(void)argc, (void)argv;
	return lacking_symbol();
}
#endif
