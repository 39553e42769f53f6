/* SPDX-License-Identifier: MIT */
#include "shim/settle.h"

#include "shim/balances.h"
#include "shim/generation.h"

void settle_generation(uint16_t slot)
{
	struct generation *generation = generation_at(slot);

	balances_end(generation);
}
