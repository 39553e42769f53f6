/* SPDX-License-Identifier: MIT */
/* ownmalloc PLUGIN.so: a host with a malloc of its own in the program. */
#include "host.h"

#include <stdatomic.h>

static char arena[64 << 20] __attribute__((aligned(4096)));
static atomic_size_t arena_used;
static atomic_long own_calls;

static void *arena_take(size_t alignment, size_t size)
{
	size_t start, used = atomic_load(&arena_used);

	atomic_fetch_add(&own_calls, 1);
	do {
		/* the size stands before the block, for realloc */
		start = (used + sizeof(size_t) + alignment - 1) & ~(alignment - 1);
		if (size > sizeof(arena) || start + size > sizeof(arena)) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!atomic_compare_exchange_weak(&arena_used, &used, start + size));
	memcpy(arena + start - sizeof(size_t), &size, sizeof(size));
	return arena + start;
}

void *malloc(size_t size)
{
	return arena_take(16, size);
}

void *calloc(size_t count, size_t size)
{
	return arena_take(16, count * size);
}

void *realloc(void *old, size_t size)
{
	char *p = arena_take(16, size);
	size_t old_size;

	if (old && p) {
		memcpy(&old_size, (char *)old - sizeof(old_size), sizeof(old_size));
		memcpy(p, old, old_size < size ? old_size : size);
	}
	return p;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return arena_take(alignment, size);
}

void *memalign(size_t alignment, size_t size)
{
	return arena_take(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	*p = arena_take(alignment, size);
	return *p ? 0 : ENOMEM;
}

size_t malloc_usable_size(void *p)
{
	size_t size;

	memcpy(&size, (char *)p - sizeof(size), sizeof(size));
	return p ? size : 0;
}

/* Dies when it is given a block that is not its own. */
void free(void *p)
{
	if (p && ((char *)p < arena || (char *)p >= arena + sizeof(arena)))
		die("free of somebody else's block %p", p);
}

int main(int argc, char **argv)
{
	void *handle;
	long before;

	if (argc != 2)
		die("usage: ownmalloc PLUGIN.so");
	watchdog(60);
	handle = plugin_open(argv[1]);
	before = own_calls;
	((long (*)(long))plugin_symbol(handle, "leak_blocks"))(10);
	verdict(own_calls >= before + 10, "the plugin uses the host's own malloc");
	verdict(plugin_close(handle), "the plugin is unloaded");
	return 0;
}
