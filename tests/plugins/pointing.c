/* SPDX-License-Identifier: MIT */
/* A plugin that stays, and has places of all kinds that a pointer can be kept in. */
#include "plugin.h"

#include <stdlib.h>

PLUGIN void **pointing_variable(void);
PLUGIN void **pointing_local(void);
PLUGIN void **pointing_block(void);

static void *variable;
static __thread void *local;
static void **block;

PLUGIN void **pointing_variable(void)
{
	return &variable;
}

PLUGIN void **pointing_local(void)
{
	return &local;
}

PLUGIN void **pointing_block(void)
{
	if (!block)
		block = calloc(4, sizeof(*block));
	return block;
}
