/* SPDX-License-Identifier: MIT */
/*
 * limited EXHAUST.so: a host with little memory whose plugin takes all of it;
 * what relib keeps for modules must be theirs again after the unload.
 */
#include "host.h"

#include <sys/resource.h>

typedef long plugin_fn(long number);

static long ask(void *handle, const char *function, long number)
{
	long answer = ((plugin_fn *)plugin_symbol(handle, function))(number);

	scrub_stack();
	return answer;
}

static int host_has(size_t size)
{
	char *p = malloc(size);

	if (!p)
		return 0;
	p[0] = p[size - 1] = 1;
	forget(p);
	free(p);
	return 1;
}

/* A part of what modules have for themselves under such a limit. */
static void take_again(const char *path)
{
	struct rlimit limit;
	void *handle = plugin_open(path);

	getrlimit(RLIMIT_AS, &limit);
	verdict(handle && ask(handle, "take", (long)(limit.rlim_cur / 16)),
		"and a plugin has its memory again");
	plugin_close(handle);
}

static void exhaust_by(const char *path, long size, const char *what)
{
	void *handle = plugin_open(path);
	long taken = ask(handle, "exhaust", size);

	verdict(taken > 0, what);
	verdict(plugin_close(handle), "and it can be unloaded then");
	take_again(path);
}

int main(int argc, char **argv)
{
	void *handle;

	if (argc != 2)
		die("usage: limited EXHAUST.so");
	watchdog(120);
	handle = plugin_open(argv[1]);
	verdict(ask(handle, "use_some", 10000) == 10000, "a plugin has the memory it needs");
	verdict(ask(handle, "ask_too_much", 1L << 40), "1 TiB is ENOMEM");
	verdict(host_has(1 << 20), "the host is unharmed");
	verdict(plugin_close(handle), "the plugin is unloaded");
	exhaust_by(argv[1], 1 << 20, "blocks of 1 MiB until ENOMEM");
	exhaust_by(argv[1], 4000, "blocks of 4000 bytes until ENOMEM");
	return 0;
}
