/* SPDX-License-Identifier: MIT */
/* A plugin with thread-locals of THREADLOCAL_SIZE bytes, that makes blocks. */
#include "plugin.h"

#include <stdlib.h>

#ifdef THREADLOCAL_SIZE
static __thread void *threadlocal[THREADLOCAL_SIZE / sizeof(void *)];

PLUGIN void **slot(void)
{
	return threadlocal;
}
#endif

PLUGIN void make(void **to, size_t size)
{
	*to = malloc(size);
	NOT_A_TAIL_CALL();
}

PLUGIN void make_zeroed(void **to, size_t size)
{
	*to = calloc(1, size);
	NOT_A_TAIL_CALL();
}

PLUGIN void remake(void **to, size_t size)
{
	*to = realloc(*to, size);
	NOT_A_TAIL_CALL();
}

PLUGIN void give_back(void *block)
{
	free(block);
	NOT_A_TAIL_CALL();
}
