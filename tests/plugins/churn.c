/* SPDX-License-Identifier: MIT */
/* A plugin whose blocks wander: it leaks one, and makes one that others free. */
#include "plugin.h"

#include <stdlib.h>

PLUGIN void churn_leak(void)
{
	forget(malloc(100)); /* LINE churn_leak */
	NOT_A_TAIL_CALL();
}

PLUGIN void churn_make(void **slot, size_t size, unsigned int seed)
{
	void *p = malloc(size); /* LINE churn_make */

	pattern_fill(p, size, seed);
	*slot = p;
}

PLUGIN void churn_free(void *p)
{
	free(p);
	NOT_A_TAIL_CALL();
}
