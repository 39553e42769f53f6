/* SPDX-License-Identifier: MIT */
/*
 * The environment: strings that a module gave to putenv, and an array that it
 * made the environment, when they lie in its image.
 */
#include <string.h>
#include <unistd.h>

#include "shim/arena.h"
#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/hooks.h"
#include "shim/sys.h"

static bool is_in(const struct generation *generation, const void *address)
{
	return (uintptr_t)address - generation->start < generation->end - generation->start;
}

/*
 * The array goes where a look for references reads it: its strings may be
 * blocks of other modules.
 */
static char **array_copy(char **from)
{
	size_t count = 0;
	char **copy;

	while (from[count])
		count++;
	copy = sys_map((count + 1) * sizeof(*copy), PROT_READ | PROT_WRITE);
	if (copy)
		memcpy(copy, from, count * sizeof(*copy));
	return copy;
}

static char *string_copy(const char *from)
{
	size_t size = strlen(from) + 1;
	char *copy = arena_take(size);

	return copy ? memcpy(copy, from, size) : NULL;
}

/* Other threads may read it meanwhile, as they may while putenv runs. */
uint32_t environment_take_back(uint16_t generation)
{
	const struct generation *going = generation_at(generation);
	struct session_dangling like = {.kind = SESSION_DANGLING_ENVIRON};
	uint32_t count = 0;
	void *copy;

	if (!environ)
		return 0;
	if (is_in(going, environ)) {
		copy = array_copy(environ);
		like.taken_back = copy != NULL;
		dangling_hook(generation, (uintptr_t)environ, &like, "environ");
		if (!copy)
			return 0;
		__atomic_store_n(&environ, copy, __ATOMIC_RELEASE);
		count++;
	}
	for (char **at = environ; *at; at++) {
		if (!is_in(going, *at))
			continue;
		copy = string_copy(*at);
		like.taken_back = copy != NULL;
		dangling_hook(generation, (uintptr_t)*at, &like, *at);
		if (!copy)
			continue;
		__atomic_store_n(at, copy, __ATOMIC_RELEASE);
		count++;
	}
	return count;
}
