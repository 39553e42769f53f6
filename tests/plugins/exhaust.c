/* SPDX-License-Identifier: MIT */
/* Takes memory until there is none. */
#include "plugin.h"

#include <errno.h>
#include <stdlib.h>

/* Takes blocks of the size until malloc says no; returns their number, or -1: wrong errno. */
PLUGIN long exhaust(long size)
{
	long taken = 0;

	for (;;) {
		errno = 0;
		void *p = malloc((size_t)size);

		if (!p)
			return errno == ENOMEM ? taken : -1;
		*(char *)p = 1;
		forget(p);
		taken++;
	}
}

/* Asks for more than there can be; returns 1 when that is ENOMEM. */
PLUGIN long ask_too_much(long size)
{
	void *p;

	errno = 0;
	p = malloc((size_t)size);
	forget(p);
	return !p && errno == ENOMEM;
}

/* Leaks so many small blocks and uses them; returns their number. */
PLUGIN long use_some(long blocks)
{
	for (long i = 0; i < blocks; i++) {
		char *p = malloc(48);

		if (!p)
			return i;
		memset(p, 1, 48);
		forget(p);
	}
	return blocks;
}

/* Leaks one block of the size; 1 when it could be had. */
PLUGIN long take(long size)
{
	char *p = malloc((size_t)size);

	if (p)
		p[0] = p[size - 1] = 1;
	forget(p);
	return p != NULL;
}
