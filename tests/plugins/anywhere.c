/* SPDX-License-Identifier: MIT */
/*
 * anywhere BLOCKS.so OTHER.so CASE: what one made, another frees or resizes;
 * OTHER.so is a copy of BLOCKS.so.  Cases are the functions of the table.
 */
#include "host.h"

#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>

typedef void *make_fn(long way, size_t alignment, size_t size);
typedef void *resize_fn(void *p, size_t size);
typedef void free_fn(void *p);

struct plugin {
	const char *path;
	void *handle;
	make_fn *make;
	resize_fn *resize;
	free_fn *release;
	long ways;
};

static struct plugin one, two;

static void plugin_load(struct plugin *plugin, const char *path)
{
	plugin->path = path;
	plugin->handle = plugin_open(path);
	plugin->make = (make_fn *)plugin_symbol(plugin->handle, "blocks_make");
	plugin->resize = (resize_fn *)plugin_symbol(plugin->handle, "blocks_resize");
	plugin->release = (free_fn *)plugin_symbol(plugin->handle, "blocks_free");
	plugin->ways = ((long (*)(void))plugin_symbol(plugin->handle, "blocks_ways"))();
}

/* --- freed by others --- */

static void *free_in_thread(void *p)
{
	free(p);
	return NULL;
}

static void free_by_thread(void *p)
{
	pthread_t thread;

	pthread_create(&thread, NULL, free_in_thread, p);
	pthread_join(thread, NULL);
}

static void free_by_other(void *p)
{
	two.release(p);
}

static bool freed_by(free_fn *release)
{
	bool held = true;

	for (long way = 0; way < one.ways; way++) {
		for (size_t size = 1; size < 300000; size = size * 2 + 13) {
			char *p = one.make(way, 64, size);

			held = held && p;
			pattern_fill(p, size, 3);
			held = held && pattern_holds(p, size, 3);
			release(p);
		}
	}
	return held;
}

static void case_host(void)
{
	verdict(freed_by(free), "the host frees what a module made");
}

static void case_module(void)
{
	verdict(freed_by(free_by_other), "another module frees what a module made");
}

static void case_thread(void)
{
	verdict(freed_by(free_by_thread), "another thread frees what a module made");
}

static void case_host_block(void)
{
	char *p = malloc(12345);

	pattern_fill(p, 12345, 9);
	one.release(p);
	verdict(1, "a module frees what the host made");
}

static void case_after(void)
{
	static char *block[200];
	bool held = true;

	for (size_t i = 0; i < 200; i++) {
		block[i] = one.make((long)i % one.ways, 32, i * i + 1);
		pattern_fill(block[i], i * i + 1, (unsigned int)i);
	}
	verdict(plugin_close(one.handle), "the module is gone");
	for (size_t i = 0; i < 200; i++) {
		held = held && pattern_holds(block[i], i * i + 1, (unsigned int)i);
		free(block[i]);
		block[i] = NULL;
	}
	verdict(held, "after the unload the contents are whole, and the host frees them");
}

/* --- resized by others --- */

static void case_resize(void)
{
	static char *p;
	bool held = true;

	p = one.make(0, 0, 1000);
	pattern_fill(p, 1000, 4);
	p = realloc(p, 100000);
	held = held && pattern_holds(p, 1000, 4);
	pattern_fill(p, 100000, 6);
	p = realloc(p, 500);
	held = held && pattern_holds(p, 500, 6);
	verdict(held, "the host resizes what a module made");
	verdict(plugin_close(one.handle), "the module is gone");
	verdict(pattern_holds(p, 500, 6), "what the host resized outlives the module");
	free(p);
}

static void case_resize_module(void)
{
	char *p = malloc(1000);
	bool held;

	pattern_fill(p, 1000, 4);
	p = one.resize(p, 70000);
	held = pattern_holds(p, 1000, 4);
	pattern_fill(p, 70000, 7);
	p = two.resize(p, 900);
	held = held && pattern_holds(p, 900, 7);
	two.release(p);
	verdict(held, "modules resize what the host and each other made");
}

static void case_resize_steps(void)
{
	bool held = true;
	size_t size = 1;
	char *p = one.make(0, 0, size);

	pattern_fill(p, size, 8);
	while (size < 64 << 20) {
		size_t larger = size * 3 / 2 + 1;

		p = one.resize(p, larger);
		held = held && pattern_holds(p, size, 8);
		for (size_t i = size; i < larger; i++)
			p[i] = (char)pattern(i, 8);
		size = larger;
	}
	while (size > 1) {
		size /= 3;
		p = one.resize(p, size ? size : 1);
		held = held && pattern_holds(p, size, 8);
	}
	one.release(p);
	verdict(held, "growing to 64 MiB and shrinking again keeps the contents");
}

/* --- sizes and alignments --- */

static void case_usable(void)
{
	bool enough = true, writable = true;

	for (long way = 0; way < one.ways; way++) {
		for (size_t size = 1; size < 3000000; size = size * 5 / 4 + 3) {
			char *p = one.make(way, 64, size);
			size_t usable = malloc_usable_size(p);

			enough = enough && usable >= size && usable < 2 * size + 8192;
			pattern_fill(p, usable, 2);
			writable = writable && pattern_holds(p, usable, 2);
			free(p);
		}
	}
	verdict(enough, "malloc_usable_size is at least what was asked for, and not much more");
	verdict(writable, "all that malloc_usable_size promises can be used");
	verdict(malloc_usable_size(NULL) == 0, "malloc_usable_size of NULL is 0");
}

static void case_alignment(void)
{
	bool aligned = true, held = true;

	for (long way = 4; way <= 6; way++) {
		for (size_t alignment = sizeof(void *); alignment <= 4 << 20; alignment *= 2) {
			static const size_t sizes[] = { 1, 16, 100, 4096, 5000, 70000, 1 << 20 };
			char *p[7];

			for (int i = 0; i < 7; i++) {
				p[i] = one.make(way, alignment, sizes[i]);
				aligned = aligned && p[i] && (uintptr_t)p[i] % alignment == 0;
				pattern_fill(p[i], sizes[i], i);
			}
			for (int i = 0; i < 7; i++) {
				held = held && pattern_holds(p[i], sizes[i], i);
				free(p[i]);
			}
		}
	}
	verdict(aligned, "every alignment from 8 to 4 MiB is given");
	verdict(held, "aligned blocks do not overlap");
}

static void case_natural(void)
{
	bool aligned = true;

	for (size_t size = 1; size < 5000; size++) {
		char *p = one.make(0, 0, size);

		aligned = aligned && (uintptr_t)p % (size < 16 ? 8 : 16) == 0;
		free(p);
	}
	verdict(aligned, "malloc aligns as the ABI wants it");
}

static void case_zero(void)
{
	char *p = one.make(0, 0, 0), *q = one.make(0, 0, 0);
	bool clear = true;

	verdict(p && q && p != q, "blocks of no bytes are distinct");
	free(p);
	free(q);
	for (int round = 0; round < 2; round++) {
		for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
			p = one.make(1, 0, size);
			for (size_t i = 0; i < size; i++)
				clear = clear && !p[i];
			memset(p, 0xff, size);
			free(p);
		}
	}
	verdict(clear, "calloc's blocks are zero, reused ones too");
}

static void case_huge(void)
{
	static const size_t sizes[] = { 100u << 20, 1u << 30, 3ul << 30 };
	bool held = true;

	for (int i = 0; i < 3; i++) {
		char *p = one.make(i % 2, 0, sizes[i]);

		if (!p) {
			held = false;
			continue;
		}
		p[0] = 1;
		p[sizes[i] / 2] = 2;
		p[sizes[i] - 1] = 3;
		held = held && p[0] == 1 && p[sizes[i] / 2] == 2 && p[sizes[i] - 1] == 3;
		p = one.resize(p, sizes[i] + (64u << 20));
		held = held && p && p[0] == 1 && p[sizes[i] - 1] == 3;
		free(p);
	}
	verdict(held, "blocks of 100 MiB, 1 GiB and 3 GiB can be had, resized and freed");
	verdict(resident_bytes() < 200 << 20, "what was not touched takes no memory");
}

static void case_many(void)
{
	enum { MANY = 20000 };
	static char *block[MANY];
	bool held = true;

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < MANY; i++) {
			block[i] = one.make(0, 0, 1 + i % 700);
			pattern_fill(block[i], 1 + i % 700, (unsigned int)i);
		}
		for (size_t i = 0; i < MANY; i++)
			held = held && pattern_holds(block[i], 1 + i % 700, (unsigned int)i);
		for (size_t i = 0; i < MANY; i++)
			(i % 2 ? free : one.release)(block[(i * 7919) % MANY]);
	}
	verdict(held, "20,000 live blocks do not overlap");
}

static void case_errors(void)
{
	void *p = NULL;

	errno = 0;
	p = one.make(0, 0, (size_t)-1 / 2);
	verdict(!p && errno == ENOMEM, "malloc of half the address space is ENOMEM");
	errno = 0;
	p = one.make(1, 0, (size_t)-100);
	verdict(!p && errno == ENOMEM, "calloc of nearly all of it is ENOMEM");
	p = one.make(0, 0, 100);
	errno = 0;
	verdict(!one.resize(p, (size_t)-1 / 2) && errno == ENOMEM, "realloc to it is ENOMEM");
	memset(p, 1, 100);
	free(p);
	errno = 77;
	free(NULL);
	p = one.make(0, 0, 100);
	free(p);
	verdict(errno == 77, "success leaves errno alone");
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "host", case_host },
	{ "module", case_module },
	{ "thread", case_thread },
	{ "host-block", case_host_block },
	{ "after", case_after },
	{ "resize", case_resize },
	{ "resize-module", case_resize_module },
	{ "resize-steps", case_resize_steps },
	{ "usable", case_usable },
	{ "alignment", case_alignment },
	{ "natural", case_natural },
	{ "zero", case_zero },
	{ "huge", case_huge },
	{ "many", case_many },
	{ "errors", case_errors },
};

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: anywhere BLOCKS.so OTHER.so CASE");
	watchdog(120);
	plugin_load(&one, argv[1]);
	plugin_load(&two, argv[2]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (!strcmp(cases[i].name, argv[3])) {
			cases[i].run();
			return 0;
		}
	}
	die("no case %s", argv[3]);
}
