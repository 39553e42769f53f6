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

	file_locks_settle(generation->record);
	mutexes_settle(generation->record);
	children_settle(generation->record);
	streams_settle(generation->record);
	directories_settle(generation->record);
	descriptors_settle(generation->record);
	names_settle(generation->record);
	handles_settle(generation->record);
	environment_settle(generation->record);
	locale_settle(generation->record);
	process_settle(generation->record);
	balances_end(generation);
}
