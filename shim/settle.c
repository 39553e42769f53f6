/* SPDX-License-Identifier: MIT */
#include "shim/settle.h"

#include "shim/balances.h"
#include "shim/generation.h"

void settle_generation(uint16_t slot)
{
	struct generation *generation = generation_at(slot);

	handles_settle(generation->record);
	environment_settle(generation->record);
	locale_settle(generation->record);
	process_settle(generation->record);
	balances_end(generation);
}
