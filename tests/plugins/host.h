/* SPDX-License-Identifier: MIT */
/*
 * What the hosts of the tests share.  A host must not leave copies of a
 * plugin's pointers behind in its stack, or a look for references would
 * rightly find them: hence scrub_stack after each call into a plugin.
 */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include "plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Overwrites the dead part of the stack below the caller. */
NOINLINE static void scrub_stack(void)
{
	volatile char area[128 * 1024];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 0;
}

/* A host that hangs is ended, so that the test ends. */
static inline void watchdog(unsigned int seconds)
{
	alarm(seconds);
}

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vdprintf(2, format, arguments);
	va_end(arguments);
	dprintf(2, "\n");
	_exit(99);
}

/* One line for the script: "ok WHAT" or "bad WHAT". */
static inline void verdict(int held, const char *what)
{
	dprintf(1, "%s %s\n", held ? "ok" : "bad", what);
}

struct object_search {
	uintptr_t address;
	int found;
};

static inline int object_search_step(struct dl_phdr_info *info, size_t size, void *data)
{
	struct object_search *search = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && search->address >= start &&
		    search->address - start < info->dlpi_phdr[i].p_memsz)
			search->found = 1;
	}
	return search->found;
}

/* True while an object is loaded at the address. */
static inline int address_is_loaded(uintptr_t address)
{
	struct object_search search = { address, 0 };

	dl_iterate_phdr(object_search_step, &search);
	return search.found;
}

/* An address inside the object of the handle. */
static inline uintptr_t object_address(void *handle)
{
	struct link_map *map = NULL;

	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
		die("dlinfo: %s", dlerror());
	return (uintptr_t)map->l_ld;
}

static inline void *plugin_open(const char *path)
{
	void *handle = dlopen(path, RTLD_NOW);

	if (!handle)
		die("dlopen: %s", dlerror());
	return handle;
}

static inline void *plugin_symbol(void *handle, const char *name)
{
	void *symbol = dlsym(handle, name);

	if (!symbol)
		die("dlsym: %s", dlerror());
	return symbol;
}

/* Closes, and returns true when the object is gone. */
static inline int plugin_close(void *handle)
{
	uintptr_t address = object_address(handle);

	scrub_stack();
	if (dlclose(handle) != 0)
		die("dlclose: %s", dlerror());
	return !address_is_loaded(address);
}

/* Resident memory of this process, bytes. */
static inline long resident_bytes(void)
{
	char text[128] = "";
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (file && fgets(text, sizeof(text), file))
		sscanf(text, "%*d %ld", &pages);
	if (file)
		fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

/* Reads a line of standard input without stdio; false at its end. */
static inline int read_command(char *line, size_t size)
{
	size_t used = 0;
	char c;

	while (read(0, &c, 1) == 1) {
		if (c == '\n') {
			line[used] = 0;
			return 1;
		}
		if (used + 1 < size)
			line[used++] = c;
	}
	return 0;
}

#endif
