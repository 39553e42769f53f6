/* SPDX-License-Identifier: MIT */
/*
 * latefree GIVE.so: a host that hides the only pointer to a plugin's block
 * from everybody, unloads the plugin, and then frees the block.
 */
#include "host.h"

#define BLOCKS 3

static const uintptr_t mask = UINT64_C(0x5a5a5a5a5a5a5a5a);
static uintptr_t hidden[BLOCKS];

NOINLINE static void be_given(void *handle)
{
	void (*give)(void **, size_t, unsigned int) =
		(void (*)(void **, size_t, unsigned int))plugin_symbol(handle, "give");
	void *p = NULL;

	for (int i = 0; i < BLOCKS; i++) {
		give(&p, 1000, 1);
		hidden[i] = (uintptr_t)p ^ mask;
		p = NULL;
		forget(&p);
	}
}

/* The caller that the report must name. */
NOINLINE static void free_too_late(void)
{
	for (int i = 0; i < BLOCKS; i++)
		free((void *)(hidden[i] ^ mask)); /* LINE free_too_late */
	NOT_A_TAIL_CALL();
}

/* The host's own memory is as it was. */
NOINLINE static int memory_is_sane(void)
{
	void *p[1000];
	int held = 1;

	for (int i = 0; i < 1000; i++) {
		p[i] = malloc(1000);
		pattern_fill(p[i], 1000, i);
	}
	for (int i = 0; i < 1000; i++) {
		held = held && pattern_holds(p[i], 1000, i);
		free(p[i]);
	}
	return held;
}

int main(int argc, char **argv)
{
	void *handle;

	if (argc != 2)
		die("usage: latefree GIVE.so");
	watchdog(60);
	handle = plugin_open(argv[1]);
	be_given(handle);
	scrub_stack();
	verdict(plugin_close(handle), "the plugin is gone");
	free_too_late();
	verdict(memory_is_sane(), "the host goes on after its late free");
	return 0;
}
