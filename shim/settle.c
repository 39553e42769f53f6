/* SPDX-License-Identifier: MIT */
#include "shim/settle.h"

#include "shim/balances.h"
#include "shim/descriptors.h"
#include "shim/directories.h"
#include "shim/generation.h"
#include "shim/stdio-streams.h"

void settle_generation(uint16_t slot)
{
	struct generation *generation = generation_at(slot);

	streams_settle(generation->record);
	directories_settle(generation->record);
	descriptors_settle(generation->record);
	names_settle(generation->record);
	balances_end(generation);
}
