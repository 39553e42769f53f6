/* SPDX-License-Identifier: MIT */
/* A plugin that holds what another plugin made: in a variable, or in a block. */
#include "plugin.h"

#include <stdlib.h>

static void *held_by_module;
static void **held_block;

PLUGIN void **holder_variable(void)
{
	return &held_by_module;
}

PLUGIN void **holder_block(void)
{
	if (!held_block)
		held_block = calloc(1, 64);
	return held_block;
}
