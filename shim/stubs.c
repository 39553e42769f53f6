/* SPDX-License-Identifier: MIT */
#include "shim/explain.h"
#include "shim/guard.h"
#include "shim/hooks.h"

void hooks_take_back(uint16_t generation)
{
}

void guard_image(uintptr_t start, uintptr_t end, uint32_t generation_record)
{
}

void explain_frames(
	const uint64_t *frames, unsigned int count, bool first_exact, char *text, size_t size)
{
	*text = 0;
}
