/* SPDX-License-Identifier: MIT */
#include "shim/explain.h"
#include "shim/guard.h"
#include "shim/hooks.h"
#include "shim/keys.h"
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

uint32_t signals_take_back(uint16_t generation)
{
	return 0;
}

void guard_image(uintptr_t start, uintptr_t end, uint32_t generation_record)
{
}

void explain_frames(
	const uint64_t *frames, unsigned int count, bool first_exact, char *text, size_t size)
{
	*text = 0;
}

void unloading_thread_over(void)
{
}
