/* SPDX-License-Identifier: MIT */
#include "plugin.h"

#include <semaphore.h>

int spin(volatile int *stop, sem_t *inside);

int spin(volatile int *stop, sem_t *inside)
{
	sem_post(inside);
	while (!*stop)
		;
	return 5;
}
