/* SPDX-License-Identifier: MIT */
/*
 * The built-in host: loads a plugin, calls its entry, unloads it.
 *
 *	relib-host [--entry NAME] [--cycles N] [--record FILE] PLUGIN.so [ARG...]
 *
 * With --record it is the host of relib test: FILE, which is one page, is told
 * what happens, and after each dlclose it waits a while for a module whose
 * unload was put off.
 *
 * A plain program that needs the C library only, so that all there is to see
 * is the plugin.  Its exit status is what the entry returned last; 125 when it
 * could not do its work.
 */
#include "cli/host-record.h"
#include "cli/measure.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_ENTRY "plugin_main"
#define STATUS_FAILED 125

typedef int entry_function(int argc, char **argv);

struct host {
	const char *entry; /* NULL: the default, which may be missing */
	const char *record_path;
	long cycles;
	int argc;
	char **argv;	  /* the plugin and its arguments */
	const char *path; /* of the plugin */
	struct host_record *record;
	bool stays; /* waited for in vain: not again */
};

static int failed(const char *what, const char *why)
{
	fprintf(stderr, "relib-host: %s: %s\n", what, why);
	return -1;
}

static int cycles_parse(struct host *host, const char *text)
{
	char *end;

	errno = 0;
	host->cycles = strtol(text, &end, 10);
	if (errno || *end || end == text || host->cycles < 1)
		return failed("--cycles", "a number from 1 on is needed");
	return 0;
}

static int parse(struct host *host, int argc, char **argv)
{
	int i;

	host->cycles = 1;
	for (i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--entry") == 0)
			host->entry = argv[i + 1];
		else if (strcmp(argv[i], "--record") == 0)
			host->record_path = argv[i + 1];
		else if (strcmp(argv[i], "--cycles") != 0)
			break;
		else if (cycles_parse(host, argv[i + 1]) < 0)
			return -1;
	}
	host->argc = argc - i;
	host->argv = argv + i;
	if (host->argc < 1 || host->argv[0][0] == '-')
		return failed("usage",
			"relib-host [--entry NAME] [--cycles N] [--record FILE] PLUGIN.so "
			"[ARG...]");
	return 0;
}

/* Without a file it is kept all the same, and nobody reads it. */
static int record_open(struct host *host)
{
	static struct host_record unread;
	int fd;

	host->record = &unread;
	if (!host->record_path)
		return 0;
	fd = open(host->record_path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return failed(host->record_path, strerror(errno));
	host->record = mmap(NULL, sizeof(*host->record), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return host->record == MAP_FAILED ? failed(host->record_path, strerror(errno)) : 0;
}

/* A plugin may change the working directory, and is to be loaded again all the same. */
static void path_resolve(struct host *host)
{
	static char absolute[2 * PATH_MAX];
	char folder[PATH_MAX];

	host->path = host->argv[0];
	if (host->path[0] == '/' || !getcwd(folder, sizeof(folder)))
		return;
	snprintf(absolute, sizeof(absolute), "%s/%s", folder,
		strncmp(host->path, "./", 2) == 0 ? host->path + 2 : host->path);
	host->path = absolute;
}

static void record_stage(struct host *host, enum host_stage stage)
{
	*(volatile uint32_t *)&host->record->stage = stage;
}

static int record_failure(
	struct host *host, enum host_failure failure, const char *what, const char *why)
{
	host->record->failure = failure;
	strncpy(host->record->text, why, sizeof(host->record->text) - 1);
	return host->record_path ? -1 : failed(what, why);
}

/* Cycles in which libraries and allocators still take what they keep for later. */
#define WARM_UP 4

/* The last cycle is measured always, and others at equal distances before it. */
static void record_measure(struct host *host)
{
	struct host_record *record = host->record;
	long first = host->cycles / 2, step, left = host->cycles - (long)record->cycle;
	struct measurement m = {.cycle = record->cycle};

	if (first < WARM_UP)
		first = WARM_UP;
	step = (host->cycles - first) / (MEASUREMENTS_MOST - 1) + 1;
	if (!host->record_path || left > host->cycles - first || left % step ||
		record->measured == MEASUREMENTS_MOST)
		return;
	measure(&m);
	record->measurement[record->measured] = m;
	record->measured++;
}

/* Looked up in every cycle: the next load may lie elsewhere. */
static int entry_call(struct host *host, void *plugin, int *status)
{
	entry_function *entry;

	entry = (entry_function *)dlsym(plugin, host->entry ? host->entry : DEFAULT_ENTRY);
	if (!entry && host->entry)
		return record_failure(host, HOST_NO_ENTRY, host->argv[0], dlerror());
	if (!entry)
		return 0;
	record_stage(host, HOST_CALLING);
	*status = entry(host->argc, host->argv);
	if (*status && host->record->bad_returns++ == 0) {
		host->record->bad_cycle = host->record->cycle;
		host->record->bad_status = *status;
	}
	return 0;
}

/* --- waiting for what was put off ------------------------------------------ */

#define WAIT_TRIES 1000
static const struct timespec pause_1ms = {0, 1000000};

static int object_compare(struct dl_phdr_info *info, size_t size, void *data)
{
	const ElfW(Addr) *dynamic = data;
	int i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC &&
			info->dlpi_addr + info->dlpi_phdr[i].p_vaddr == *dynamic)
			return 1;
	return 0;
}

/* At most a second; a module that stays after that will stay the next time, too. */
static void unload_await(struct host *host, ElfW(Addr) dynamic)
{
	int i;

	record_stage(host, HOST_WAITING);
	if (!host->record_path || host->stays)
		return;
	for (i = 0; i < WAIT_TRIES; i++) {
		if (!dl_iterate_phdr(object_compare, &dynamic))
			return;
		nanosleep(&pause_1ms, NULL);
	}
	host->stays = true;
}

static int cycle(struct host *host, int *status)
{
	struct link_map *map = NULL;
	ElfW(Addr) dynamic;
	void *plugin;
	int result;

	record_stage(host, HOST_LOADING);
	plugin = dlopen(host->path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin)
		return record_failure(host, HOST_LOAD_FAILED, "dlopen", dlerror());
	dynamic = dlinfo(plugin, RTLD_DI_LINKMAP, &map) == 0 ? (ElfW(Addr))map->l_ld : 0;
	result = entry_call(host, plugin, status);
	record_stage(host, HOST_UNLOADING);
	if (dlclose(plugin) != 0)
		return record_failure(host, HOST_UNLOAD_FAILED, "dlclose", dlerror());
	unload_await(host, dynamic);
	record_measure(host);
	return result;
}

int main(int argc, char **argv)
{
	struct host host = {0};
	int status = 0;
	long i;

	if (parse(&host, argc, argv) < 0 || record_open(&host) < 0)
		return STATUS_FAILED;
	path_resolve(&host);
	for (i = 0; i < host.cycles; i++) {
		host.record->cycle = i + 1;
		if (cycle(&host, &status) < 0)
			break;
	}
	record_stage(&host, HOST_ENDED);
	return i < host.cycles ? STATUS_FAILED : status & 0xff;
}
