/* SPDX-License-Identifier: MIT */
/*
 * limited EXHAUST.so: a host with little memory whose plugin takes all of it;
 * the host must have it again when the plugin is gone.
 */
#include "host.h"

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

static void exhaust_by(const char *path, long size, const char *what)
{
	void *handle = plugin_open(path);
	long taken = ask(handle, "exhaust", size);

	verdict(taken > 0, what);
	verdict(plugin_close(handle), "and it can be unloaded then");
	verdict(host_has(100 << 20), "and the host has the memory again");
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
