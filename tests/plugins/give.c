/* SPDX-License-Identifier: MIT */
/* Hands blocks with checkable contents to the host, into a slot of the host's. */
#include "plugin.h"

#include <stdlib.h>

PLUGIN void give(void **slot, size_t size, unsigned int seed)
{
	void *p = malloc(size); /* LINE give */

	pattern_fill(p, size, seed);
	*slot = p;
}

/* Only a pointer into the middle of the block is handed over. */
PLUGIN void give_middle(void **slot, size_t size, unsigned int seed)
{
	char *p = malloc(size);

	pattern_fill(p, size, seed);
	*slot = p + size / 2;
}

/* Hands over nothing. */
PLUGIN long give_nothing(long number)
{
	void *p = malloc(77);

	forget(p);
	free(p);
	return number;
}
