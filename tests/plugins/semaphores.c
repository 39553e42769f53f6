/* SPDX-License-Identifier: MIT */
/* A plugin that leaves a named semaphore open. */
#include "plugin.h"

#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>

NOINLINE static sem_t *opened(void)
{
	return sem_open(getenv("SEMAPHORE_NAME"), O_CREAT, 0600, 0);
}

PLUGIN long leave_semaphore(long unused)
{
	sem_t *semaphore = opened();

	(void)unused;
	sem_post(semaphore);
	return (long)semaphore;
}

PLUGIN long leave_two(long unused)
{
	forget(opened());
	return leave_semaphore(unused);
}

PLUGIN long close_one_of_two(long unused)
{
	long semaphore = leave_two(unused);

	sem_close((sem_t *)semaphore);
	return semaphore;
}

/* A block that nobody refers to holds it, with its name beside it, as the C library does. */
PLUGIN long leave_in_block(long unused)
{
	void **block = malloc(444);

	block[2] = (void *)leave_semaphore(unused);
	strcpy((char *)&block[4], getenv("SEMAPHORE_NAME"));
	return (long)block[2];
}

/* The same, and the block is handed over. */
PLUGIN long hand_over_block(long unused)
{
	void **block = malloc(444);

	block[2] = (void *)leave_semaphore(unused);
	return (long)block;
}
