/* SPDX-License-Identifier: MIT */
/* Leaks as much as it is told: so many blocks of so many bytes, all written to. */
#include "plugin.h"

#include <stdlib.h>

NOINLINE static void residue_leak(long blocks, size_t size)
{
	for (long i = 0; i < blocks; i++) {
		char *p = malloc(size);

		memset(p, 1, size);
		forget(p);
	}
}

/* 1 MiB in so many blocks. */
PLUGIN long leak_mebibyte(long blocks)
{
	residue_leak(blocks, (1 << 20) / (size_t)blocks);
	return blocks;
}

/* So many blocks of 100 bytes. */
PLUGIN long leak_blocks(long blocks)
{
	residue_leak(blocks, 100);
	return blocks;
}
