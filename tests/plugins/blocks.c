/* SPDX-License-Identifier: MIT */
/* Allocates in whatever way it is asked to; the way is a number. */
#include "plugin.h"

#include <malloc.h>
#include <stdlib.h>

enum { BLOCKS_MALLOC, BLOCKS_CALLOC, BLOCKS_REALLOC, BLOCKS_REALLOCARRAY, BLOCKS_POSIX_MEMALIGN,
	BLOCKS_ALIGNED_ALLOC, BLOCKS_MEMALIGN, BLOCKS_VALLOC, BLOCKS_PVALLOC, BLOCKS_WAYS };

PLUGIN long blocks_ways(void)
{
#ifdef WITHOUT_PVALLOC
	/* jemalloc has none: its free cannot take what the C library's pvalloc gives */
	return BLOCKS_PVALLOC;
#else
	return BLOCKS_WAYS;
#endif
}

/* alignment matters to three of the ways only. */
PLUGIN void *blocks_make(long way, size_t alignment, size_t size)
{
	void *p = NULL;

	switch (way) {
	case BLOCKS_MALLOC:
		p = malloc(size);
		break;
	case BLOCKS_CALLOC:
		p = calloc(1, size);
		break;
	case BLOCKS_REALLOC:
		p = realloc(malloc(1), size);
		break;
	case BLOCKS_REALLOCARRAY:
		p = reallocarray(NULL, 1, size);
		break;
	case BLOCKS_POSIX_MEMALIGN:
		if (posix_memalign(&p, alignment, size) != 0)
			p = NULL;
		break;
	case BLOCKS_ALIGNED_ALLOC:
		p = aligned_alloc(alignment, size);
		break;
	case BLOCKS_MEMALIGN:
		p = memalign(alignment, size);
		break;
	case BLOCKS_VALLOC:
		p = valloc(size);
		break;
	case BLOCKS_PVALLOC:
		p = pvalloc(size);
		break;
	}
	NOT_A_TAIL_CALL();
	return p;
}

PLUGIN void *blocks_resize(void *p, size_t size)
{
	p = realloc(p, size);
	NOT_A_TAIL_CALL();
	return p;
}

PLUGIN void blocks_free(void *p)
{
	free(p);
	NOT_A_TAIL_CALL();
}
