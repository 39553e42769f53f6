/* SPDX-License-Identifier: MIT */
#include "shim/guard.h"

#include <stdatomic.h>

#include "shim/lock.h"
#include "shim/segv.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/signal-stacks.h"
#include "shim/sys.h"

#define RANGES 4096u /* a power of two; the kernel allows 65,530 mappings by default */
#define GAP_MOST 65536u
#define LIMIT_DIVISOR 16 /* under RLIMIT_AS */

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* One image.  version is odd while the rest changes, so that a reader sees all or nothing. */
struct range {
	_Atomic uint32_t version;
	_Atomic uint32_t record; /* 0: none */
	_Atomic uintptr_t start, end;
};

/* A ring: the oldest lies at first, the next goes to next; both count on for ever. */
static struct range ranges[RANGES];
static _Atomic uint32_t first, next_free;
static size_t held; /* bytes */
static struct lock guard_lock;

static void range_set(struct range *range, uintptr_t start, uintptr_t end, uint32_t record)
{
	atomic_fetch_add(&range->version, 1);
	atomic_store(&range->start, start);
	atomic_store(&range->end, end);
	atomic_store(&range->record, record);
	atomic_fetch_add(&range->version, 1);
}

static void oldest_give_back(void)
{
	struct range *range = &ranges[atomic_load(&first) % RANGES];
	uintptr_t start = atomic_load(&range->start), size = atomic_load(&range->end) - start;

	/*
	 * Out of the table first: what is mapped there next is nobody's late call.
	 * The generation's record is left alone: so long after, touching it would
	 * bring its part of the session back into memory.
	 */
	range_set(range, 0, 0, 0);
	atomic_fetch_add(&first, 1);
	sys_unmap((void *)start, size);
	signal_stacks_keep(start, start + size);
	held -= size;
}

static void shrink_to(size_t most)
{
	while (held > most)
		oldest_give_back();
}

/* What may be held in all: less where the address space is limited, which counts it. */
static size_t room_in_all(void)
{
	size_t left = sys_address_share(1), most;

	if (left == SIZE_MAX)
		return settings.guard;
	most = (left + held) / LIMIT_DIVISOR;
	return most < settings.guard ? most : settings.guard;
}

static bool range_map(uintptr_t start, size_t size)
{
	long got = sys_call6(SYS_mmap, start, size, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

	/* kernels before 4.17 take the address for a wish */
	if (got > 0 && got != (long)start)
		sys_unmap((void *)got, size);
	return got == (long)start;
}

/*
 * Between images there are gaps of a page or two, for what was mapped when they
 * were loaded.  Where nothing is any more, the gap is held back too: so any
 * number of images is one mapping.
 */
static void gap_close(uint32_t number)
{
	struct range *range = &ranges[number % RANGES];
	const struct range *before = &ranges[(number - 1) % RANGES];
	uintptr_t start = atomic_load(&range->start), end = atomic_load(&range->end);
	uintptr_t above = atomic_load(&before->start), below = atomic_load(&before->end);

	if (number <= atomic_load(&first))
		return;
	if (above > end && above - end < GAP_MOST && range_map(end, above - end)) {
		held += above - end;
		range_set(range, start, above, atomic_load(&range->record));
	} else if (start > below && start - below < GAP_MOST && range_map(below, start - below)) {
		held += start - below;
		range_set(range, below, end, atomic_load(&range->record));
	}
}

void guard_image(uintptr_t start, uintptr_t end, uint32_t generation_record)
{
	struct session_generation *generation;
	size_t most, size;

	if (!settings.guard || !generation_record || !lock_take(&guard_lock))
		return;
	generation = session_record(SESSION_GENERATIONS, generation_record);
	start &= ~(uintptr_t)4095;
	end = (end + 4095) & ~(uintptr_t)4095;
	size = end - start;
	most = room_in_all();
	if (size <= most) {
		shrink_to(most - size);
		if (atomic_load(&next_free) - atomic_load(&first) == RANGES)
			oldest_give_back();
		if (range_map(start, size)) {
			range_set(&ranges[atomic_load(&next_free) % RANGES], start, end,
				generation_record);
			atomic_fetch_add(&next_free, 1);
			held += size;
			/* what was there for this unload is gone at the next */
			gap_close(atomic_load(&next_free) - 1);
			gap_close(atomic_load(&next_free) - 2);
			generation->how |= SESSION_GUARDED;
		}
	}
	size = held;
	lock_give(&guard_lock);
	if (size)
		segv_install();
}

uint32_t guard_find(uintptr_t address)
{
	uint32_t end = atomic_load(&next_free), from = atomic_load(&first);

	while (end - from) {
		struct range *range = &ranges[--end % RANGES];
		uint32_t version = atomic_load(&range->version), record;
		bool inside;

		inside = address - atomic_load(&range->start) <
			 atomic_load(&range->end) - atomic_load(&range->start);
		record = atomic_load(&range->record);
		/* one that changes is being given back, or its image went this very moment */
		if (inside && !(version & 1) && atomic_load(&range->version) == version)
			return record;
	}
	return 0;
}

void guard_limit(size_t most)
{
	if (!lock_take(&guard_lock))
		return;
	shrink_to(most);
	lock_give(&guard_lock);
}

void guard_fork_child(void)
{
	guard_lock.owner = 0;
}
