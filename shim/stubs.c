/* SPDX-License-Identifier: MIT */
#include "shim/danglings.h"
#include "shim/hooks.h"

void hooks_take_back(uint16_t generation)
{
	signals_take_back(generation);
}

void dangling_hook(uint16_t generation, uintptr_t address, const struct session_dangling *like,
	const char *text)
{
}
