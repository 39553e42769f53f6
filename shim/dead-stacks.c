/* SPDX-License-Identifier: MIT */
/*
 * A thread's descriptor lies at the top of its stack, and stays there when the
 * thread is over.  So the search goes upwards from an address, through pages
 * that are in core, until a descriptor is met whose stack holds the address.
 */
#include "shim/dead-stacks.h"

#include "shim/arch.h"
#include "shim/stacks.h"

#define PAGE 4096u
#define ALIGNMENT 64u	      /* of a descriptor */
#define SEARCHED (64ul << 20) /* stacks are not larger, as a rule */
#define AT_ONCE 1024u	      /* pages asked for */
#define KNOWN_MOST 64u

static struct {
	struct scan_range stacks[KNOWN_MOST];
	unsigned int count;
	struct scan_range without; /* here no descriptor is */
} known;

void dead_stacks_begin(void)
{
	known.count = 0;
	known.without = (struct scan_range){0, 0};
}

static bool page_search(uintptr_t page, uintptr_t from, uintptr_t address, struct scan_range *found)
{
	for (uintptr_t at = page > from ? page : from; at < page + PAGE; at += ALIGNMENT) {
		if (!arch_is_thread((const uintptr_t *)at) || !stacks_of_thread(at, found))
			continue;
		if (address >= found->start && address < found->end)
			return true;
	}
	return false;
}

static bool search(uintptr_t address, uintptr_t start, uintptr_t end, struct scan_range *found)
{
	static unsigned char in_core[AT_ONCE]; /* one look at a time */
	uintptr_t from = (address - ARCH_THREAD_ABOVE) & ~(uintptr_t)(ALIGNMENT - 1);

	/* the address may lie in the descriptor itself */
	if (from < start || from > address)
		from = start;
	for (uintptr_t page = from & ~(uintptr_t)(PAGE - 1); page < end;) {
		uintptr_t pages = (end - page + PAGE - 1) / PAGE;

		if (pages > AT_ONCE)
			pages = AT_ONCE;
		if (raw(SYS_mincore, page, pages * PAGE, in_core) < 0)
			return false;
		for (uintptr_t i = 0; i < pages; i++, page += PAGE)
			if ((in_core[i] & 1) && page_search(page, from, address, found))
				return true;
	}
	return false;
}

bool dead_stacks_hold(const struct scan_place *place)
{
	uintptr_t address = place->address, end = place->end;
	struct scan_range found;

	for (unsigned int i = 0; i < known.count; i++)
		if (address >= known.stacks[i].start && address < known.stacks[i].end)
			return true;
	if (address >= known.without.start && address < known.without.end)
		return false;
	if (end - address > SEARCHED)
		end = address + SEARCHED;
	if (!search(address, place->start, end, &found)) {
		known.without = (struct scan_range){address, end};
		return false;
	}
	if (known.count < KNOWN_MOST)
		known.stacks[known.count++] = found;
	return true;
}
