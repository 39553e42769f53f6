/* SPDX-License-Identifier: MIT */
/* Lends a block to another module, and takes a smaller one in its place. */
#include <stdlib.h>
#include <string.h>

static void *volatile taken;

void **slack_lend(void)
{
	taken = calloc(4, sizeof(void *));
	return taken;
}

void slack_take(void)
{
	free(taken);
	taken = malloc(20);
	memset(taken, 1, 20);
}

void slack_leave(void **lent)
{
	lent[3] = malloc(100);
}
