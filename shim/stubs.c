/* SPDX-License-Identifier: MIT */
#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/hooks.h"
#include "shim/keys.h"
#include "shim/session.h"
#include "shim/thread-locals.h"
#include "shim/threads.h"
#include "shim/unloading.h"

uint32_t threads_owned(pid_t tid, uint16_t *generation)
{
	return 0;
}

uint32_t threads_foreign(pid_t tid)
{
	return 0;
}

void threads_each_going(void (*visit)(uint32_t record, uint16_t generation, void *data), void *data)
{
}

uint32_t thread_locals_run(uint16_t generation)
{
	return 0;
}

uint32_t thread_locals_drop(uint16_t generation, int tid)
{
	return 0;
}

void thread_locals_gone(uint16_t generation)
{
}

uint32_t keys_run(uint16_t generation)
{
	return 0;
}

uint32_t keys_delete(uint16_t generation)
{
	return 0;
}

size_t keys_stale(const struct world *world, struct scan_range *ranges, size_t most)
{
	return 0;
}

void hooks_take_back(uint16_t generation)
{
	struct session_generation *record =
		session_record(SESSION_GENERATIONS, generation_at(generation)->record);

	record->taken_back += signals_take_back(generation);
}

void dangling_hook(uint16_t generation, uintptr_t address, const struct session_dangling *like,
	const char *text)
{
}

void unloading_thread_over(void)
{
}
