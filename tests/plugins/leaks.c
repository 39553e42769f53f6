/* SPDX-License-Identifier: MIT */
/*
 * Leaks known amounts through everything in C that allocates.  The comment
 * LEAK FUNCTION BLOCKS BYTES stands on the line that leaks, with what one call
 * of the function leaves; the tests read it.
 */
#include "plugin.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

long helper_leak(long count);

NOINLINE static void leak_malloc(void)
{
	for (int i = 0; i < 3; i++)
		forget(malloc(101)); /* LEAK leak_malloc 3 303 */
	NOT_A_TAIL_CALL();
}

NOINLINE static void leak_calloc(void)
{
	forget(calloc(7, 11)); /* LEAK leak_calloc 1 77 */
	NOT_A_TAIL_CALL();
}

NOINLINE static void leak_realloc(void)
{
	void *p = malloc(10);

	p = realloc(p, 1000); /* LEAK leak_realloc 1 1000 */
	forget(p);
}

NOINLINE static void leak_reallocarray(void)
{
	void *p = malloc(10);

	p = reallocarray(p, 13, 17); /* LEAK leak_reallocarray 1 221 */
	forget(p);
}

NOINLINE static void leak_posix_memalign(void)
{
	void *p = NULL;

	if (posix_memalign(&p, 256, 333)) /* LEAK leak_posix_memalign 1 333 */
		abort();
	forget(p);
}

NOINLINE static void leak_aligned_alloc(void)
{
	forget(aligned_alloc(64, 640)); /* LEAK leak_aligned_alloc 1 640 */
	NOT_A_TAIL_CALL();
}

NOINLINE static void leak_strdup(void)
{
	const char *text = "a text of 23 characters";

	__asm__ volatile("" : "+r"(text));
	forget(strdup(text)); /* LEAK leak_strdup 1 24 */
	NOT_A_TAIL_CALL();
}

NOINLINE static void leak_strndup(void)
{
	const char *text = "only the first ten of this";

	__asm__ volatile("" : "+r"(text));
	forget(strndup(text, 10)); /* LEAK leak_strndup 1 11 */
	NOT_A_TAIL_CALL();
}

NOINLINE static void leak_asprintf(void)
{
	char *p = NULL;

	if (asprintf(&p, "asprintf-%d", 12345) < 0) /* LEAK leak_asprintf 1 15 */
		abort();
	forget(p);
}

/* The C library takes 120 bytes for a short line. */
NOINLINE static void leak_getline(void)
{
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen("/proc/self/status", "re");

	if (!file || getline(&line, &size, file) < 0) /* LEAK leak_getline 1 120 */
		abort();
	fclose(file);
	forget(line);
}

/* What is needed, or PATH_MAX before glibc 2.33. */
NOINLINE static void leak_realpath(void)
{
	forget(realpath("/proc/../proc/.", NULL)); /* LEAK leak_realpath 1 6|4096 */
	NOT_A_TAIL_CALL();
}

static void make_folder(char *folder)
{
	if (!mkdtemp(folder))
		abort();
	for (char name = 'a'; name <= 'c'; name++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%c", folder, name);
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	}
}

static void remove_folder(const char *folder)
{
	for (char name = 'a'; name <= 'c'; name++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%c", folder, name);
		unlink(path);
	}
	rmdir(folder);
}

/* Five entries of 24 bytes and an array of ten pointers. */
NOINLINE static void leak_scandir(void)
{
	char folder[] = "/tmp/relib-scandir.XXXXXX";
	struct dirent **entries = NULL;

	make_folder(folder);
	if (scandir(folder, &entries, NULL, alphasort) != 5) /* LEAK leak_scandir 6 200 */
		abort();
	forget(entries);
	remove_folder(folder);
}

/* Held by a variable of the plugin only, which goes with it. */
static void *volatile held;

NOINLINE static void leak_held(void)
{
	held = malloc(64); /* LEAK leak_held 1 64 */
	NOT_A_TAIL_CALL();
}

struct node {
	struct node *next;
	char text[88];
};

/* Two blocks that refer to each other. */
NOINLINE static void leak_ring(void)
{
	struct node *node[2];

	for (int i = 0; i < 2; i++)
		node[i] = malloc(sizeof(struct node)); /* LEAK leak_ring 2 192 */
	node[0]->next = node[1];
	node[1]->next = node[0];
	forget(node[0]);
}

/* Allocates and gives all back. */
NOINLINE static void leak_nothing(void)
{
	for (size_t size = 1; size < 100000; size = size * 3 / 2 + 1) {
		char *p = malloc(size);

		p[size - 1] = 1;
		forget(p);
		free(p);
	}
}

/* What the C library keeps for itself, though a plugin caused it. */
NOINLINE static void leave_to_the_runtime(void)
{
	FILE *file;

	printf("the plugin prints\n");
	setenv("RELIB_TEST_VARIABLE", "set by the plugin", 1);
	tzset();
	setlocale(LC_ALL, "C.UTF-8");
	file = fopen("/proc/self/maps", "re");
	if (file)
		fclose(file);
}

PLUGIN long leak_all(long number)
{
	leak_malloc();
	leak_calloc();
	leak_realloc();
	leak_reallocarray();
	leak_posix_memalign();
	leak_aligned_alloc();
	leak_strdup();
	leak_strndup();
	leak_asprintf();
	leak_getline();
	leak_realpath();
	leak_scandir();
	leak_held();
	leak_ring();
	leak_nothing();
#ifdef WITH_HELPER
	helper_leak(number);
#endif
	leave_to_the_runtime();
	return number;
}

/* The default entry of relib's built-in host. */
PLUGIN int plugin_main(int argc, char **argv)
{
	(void)argv;
	leak_all(argc);
	return 0;
}
