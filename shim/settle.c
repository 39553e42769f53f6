/* SPDX-License-Identifier: MIT */
#include "shim/settle.h"

#include "shim/balances.h"
#include "shim/descriptors.h"
#include "shim/generation.h"

void settle_generation(uint16_t slot)
{
	struct generation *generation = generation_at(slot);

	descriptors_settle(generation->record);
	balances_end(generation);
}
