/* SPDX-License-Identifier: MIT */
/*
 * A host that watches the addresses of the plugin that it reloads.
 *
 *	guarded MODE PLUGIN
 */
#include "host.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define IMAGES 64

struct mappings {
	unsigned int count;
	long total; /* VmSize, bytes */
	int found;  /* the address is mapped, and */
	int closed; /* nothing may be done there */
};

static struct mappings mappings(uintptr_t address)
{
	struct mappings all = { 0 };
	FILE *file = fopen("/proc/self/maps", "re");
	unsigned long start, end;
	char line[512], access[8];

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, access) != 3 ||
			strstr(line, "[vsyscall]"))
			continue;
		all.count++;
		all.total += (long)(end - start);
		if (address >= start && address < end) {
			all.found = 1;
			all.closed = !strcmp(access, "---p");
		}
	}
	if (file)
		fclose(file);
	return all;
}

static uintptr_t reload(const char *path)
{
	void *plugin = plugin_open(path);
	uintptr_t address = (uintptr_t)plugin_symbol(plugin, "on_tick");

	if (!plugin_close(plugin))
		die("the plugin stays");
	return address;
}

/* How many of the addresses are closed; those that were given back are used again. */
static int held(const uintptr_t *images, int count)
{
	int result = 0;

	for (int i = 0; i < count; i++) {
		int later = i + 1;

		while (later < count && images[later] != images[i])
			later++;
		result += later == count && mappings(images[i]).closed;
	}
	return result;
}

static void once(const char *path)
{
	uintptr_t first = reload(path), second = reload(path);
	struct mappings now = mappings(first);

	dprintf(1, "%s %s\n", !now.found ? "free" : now.closed ? "closed" : "open",
		first == second ? "again" : "elsewhere");
}

static void limited(const char *path)
{
	uintptr_t images[IMAGES];
	struct rlimit limit;
	int before, after;

	for (int i = 0; i < IMAGES; i++)
		images[i] = reload(path);
	before = held(images, IMAGES);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = 512 << 20;
	setrlimit(RLIMIT_AS, &limit);
	after = held(images, IMAGES);
	dprintf(1, "%d %d\n", before, after);
}

/* Which one, counted from 0, is given back first: the load that gets old addresses says so. */
static void first_again(const char *path)
{
	uintptr_t images[IMAGES];

	for (int i = 0; i < IMAGES; i++) {
		images[i] = reload(path);
		for (int before = 0; before < i; before++)
			if (images[before] == images[i]) {
				dprintf(1, "%d %d\n", i, before);
				return;
			}
	}
}

static void child(const char *path)
{
	uintptr_t image = reload(path);
	int status = 0;

	if (!fork())
		_exit(mappings(image).closed && reload(path) != image ? 0 : 1);
	wait(&status);
	dprintf(1, "%s\n", status ? "bad" : "ok");
}

static void many(const char *path, int count)
{
	struct mappings before, after;

	for (int i = 0; i < 10; i++)
		reload(path);
	before = mappings(0);
	for (int i = 0; i < count; i++)
		reload(path);
	after = mappings(0);
	dprintf(1, "%d %ld\n", (int)after.count - (int)before.count,
		(after.total - before.total) >> 20);
}

int main(int argc, char **argv)
{
	uintptr_t images[IMAGES];

	watchdog(250);
	if (argc < 3)
		die("usage: guarded MODE PLUGIN");
	if (!strcmp(argv[1], "once")) {
		once(argv[2]);
	} else if (!strcmp(argv[1], "limited")) {
		limited(argv[2]);
	} else if (!strcmp(argv[1], "child")) {
		child(argv[2]);
	} else if (!strcmp(argv[1], "again")) {
		first_again(argv[2]);
	} else if (!strcmp(argv[1], "many")) {
		many(argv[2], argc > 3 ? atoi(argv[3]) : 3000);
	} else {
		for (int i = 0; i < IMAGES; i++)
			images[i] = reload(argv[2]);
		dprintf(1, "%d %d\n", held(images, IMAGES),
			mappings(images[IMAGES - 1]).closed);
	}
	return 0;
}
