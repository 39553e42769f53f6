/* SPDX-License-Identifier: MIT */
#include "shim/scan.h"

#include <errno.h>
#include <sys/mman.h>

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/maps.h"
#include "shim/resident.h"
#include "shim/stacks.h"

#define PAGE 4096u
#define PAGE_SHIFT 12
#define LARGE (64ul << 20)	/* from here on only pages that hold something are read */
#define LARGE_BLIND (1ul << 30) /* read whole when it cannot be told which these are */
#define LINES_SIZE (64u << 10)
#define PAGES_SIZE (64u << 10)
#define AT_ONCE 16 /* words compared between two branches */

struct scan_run {
	struct scan *scan;
	size_t next_excluded;
	uintptr_t own[2][2]; /* world_stop's memory and ours: never read */
	struct stacks stacks;
	struct maps maps;
	struct resident resident;
};

static inline bool scan_wants(const struct scan *scan, uintptr_t word)
{
	return word - scan->base < scan->size || word - scan->other_base < scan->other_size ||
	       word - scan->far_base < scan->far_size;
}

/* Rare: some word of these points into a range. */
__attribute__((noinline, cold)) static void scan_report(const struct scan *scan,
	const uintptr_t *at, const uintptr_t *end, struct scan_place *place)
{
	for (; at < end; at++) {
		uintptr_t word = *(const volatile uintptr_t *)at;

		if (!scan_wants(scan, word))
			continue;
		place->address = (uintptr_t)at;
		scan->found(scan->data, word, place);
	}
}

/* Words lie at multiples of 8, whatever the vectors would like. */
typedef uint64_t words __attribute__((vector_size(16), aligned(8), may_alias));
typedef int32_t numbers __attribute__((vector_size(16)));
typedef uint32_t unsigned_numbers __attribute__((vector_size(16)));

/* One of the ranges, as page numbers modulo 2^32, moved so that signed compares do. */
struct pages {
	numbers from, count;
};

static struct pages pages_of(uintptr_t base, uintptr_t size)
{
	const uint32_t middle = 0x80000000u, first = (uint32_t)(base >> PAGE_SHIFT);
	const uint32_t last = (uint32_t)((base + size - 1) >> PAGE_SHIFT);
	const int32_t from = (int32_t)(first + middle);
	const int32_t count = (int32_t)((size ? last - first + 1 : 0) + middle);

	return (struct pages){{from, from, from, from}, {count, count, count, count}};
}

static inline numbers pages_at(const uintptr_t *at)
{
	const numbers low = (numbers)(*(const words *)at >> PAGE_SHIFT);
	const numbers high = (numbers)(*(const words *)(at + 2) >> PAGE_SHIFT);

	return __builtin_shuffle(low, high, (numbers){0, 2, 4, 6});
}

/* The difference may overflow, as a difference of addresses does. */
static inline numbers numbers_less(numbers pages, const struct pages *range)
{
	const unsigned_numbers offset = (unsigned_numbers)pages - (unsigned_numbers)range->from;

	return (numbers)offset < range->count;
}

/*
 * Only bits 12 to 43 of each word are compared here, four words at once: so two
 * ranges take no longer than memory does.  The few words that others share
 * these bits with are told apart where they are reported.
 */
static inline __attribute__((always_inline)) void words_compare(const struct scan *scan,
	const uintptr_t *start, const uintptr_t *end, struct scan_place *place, const bool three)
{
	const struct pages one = pages_of(scan->base, scan->size);
	const struct pages other = pages_of(scan->other_base, scan->other_size);
	const struct pages far = pages_of(scan->far_base, scan->far_size);
	const uintptr_t *at = start;

	for (; end - at >= AT_ONCE; at += AT_ONCE) {
		numbers any = {0};
		words both;
		int i;

#pragma GCC unroll 4
		for (i = 0; i < AT_ONCE; i += 4) {
			const numbers pages = pages_at(at + i);

			any |= numbers_less(pages, &one);
			any |= numbers_less(pages, &other);
			if (three)
				any |= numbers_less(pages, &far);
		}
		both = (words)any;
		if (__builtin_expect((both[0] | both[1]) != 0, 0))
			scan_report(scan, at, at + AT_ONCE, place);
	}
	scan_report(scan, at, end, place);
}

void scan_words(const struct scan *scan, const uintptr_t *start, const uintptr_t *end,
	struct scan_place *place)
{
	if (scan->far_size)
		words_compare(scan, start, end, place, true);
	else
		words_compare(scan, start, end, place, false);
}

/* Reads on after each page that cannot be read. */
static void scan_guarded(
	struct scan *scan, uintptr_t start, uintptr_t end, struct scan_place *place)
{
	volatile uintptr_t at = (start + sizeof(uintptr_t) - 1) & ~(sizeof(uintptr_t) - 1);

	end &= ~(sizeof(uintptr_t) - 1);
	while (at < end) {
		struct fault_guard guard;

		if (fault_caught(&guard)) {
			if (guard.address < at || guard.address >= end) {
				/* Not this memory: what found() did. */
				fault_pass_on(&guard);
				return;
			}
			at = (guard.address | (PAGE - 1)) + 1;
		} else {
			scan_words(scan, (const uintptr_t *)at, (const uintptr_t *)end, place);
			fault_leave(&guard);
			scan->bytes += end - at;
			return;
		}
	}
}

/* The part of a large mapping that holds anything. */
static void scan_large(struct scan *scan, struct resident *resident, bool shared, uintptr_t start,
	uintptr_t end, struct scan_place *place)
{
	const uintptr_t first = start, last = end;
	uintptr_t at = start & ~(uintptr_t)(PAGE - 1), stop;
	int more;

	end = (end + PAGE - 1) & ~(uintptr_t)(PAGE - 1);
	for (; at < end; at = stop) {
		more = resident_next(resident, shared, &at, &stop, end);
		if (more == 0)
			return;
		if (more < 0) {
			if (last - first > LARGE_BLIND) {
				scan->error = -more;
				return;
			}
			stop = end;
		}
		scan_guarded(scan, at < first ? first : at, stop < last ? stop : last, place);
	}
}

void scan_stretch(struct scan *scan, uintptr_t start, uintptr_t end, struct scan_place *place)
{
	struct resident resident;
	long room;

	if (end - start <= LARGE) {
		scan_guarded(scan, start, end, place);
		return;
	}
	room = raw(SYS_mmap, NULL, PAGES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		-1, 0);
	if (room < 0 && room > -4096) {
		scan->error = (int)-room;
		return;
	}
	resident_open(&resident, (void *)room, PAGES_SIZE);
	scan_large(scan, &resident, place->kind == SCAN_MAPPING_SHARED, start, end, place);
	resident_close(&resident);
	raw(SYS_munmap, room, PAGES_SIZE);
}

/*
 * Where the stretch that begins at start and is read, or left out, as a whole
 * ends; *left_out tells which.
 */
static uintptr_t scan_next_excluded(
	struct scan_run *run, uintptr_t start, uintptr_t end, bool *left_out)
{
	const struct scan *scan = run->scan;
	unsigned int i;

	*left_out = false;
	while (run->next_excluded < scan->excluded_count &&
		scan->excluded[run->next_excluded].end <= start)
		run->next_excluded++;
	if (run->next_excluded < scan->excluded_count) {
		const struct scan_range *range = &scan->excluded[run->next_excluded];

		*left_out = range->start <= start;
		if (*left_out)
			return range->end < end ? range->end : end;
		if (range->start < end)
			end = range->start;
	}
	for (i = 0; i < 2; i++) {
		if (start >= run->own[i][0] && start < run->own[i][1]) {
			*left_out = true;
			return run->own[i][1] < end ? run->own[i][1] : end;
		}
		if (run->own[i][0] > start && run->own[i][0] < end)
			end = run->own[i][0];
	}
	return end;
}

static void scan_mapping(struct scan_run *run, const struct mapping *mapping)
{
	const bool large = mapping->end - mapping->start > LARGE;
	uintptr_t at, end;

	for (at = mapping->start; at < mapping->end; at = end) {
		struct scan_place place = {
			.kind = mapping->shared ? SCAN_MAPPING_SHARED : SCAN_MAPPING_PRIVATE,
			.start = mapping->start,
			.end = mapping->end,
		};
		bool left_out;

		end = scan_next_excluded(run, at, mapping->end, &left_out);
		if (left_out) {
			if (run->scan->left_out)
				run->scan->left_out(run->scan->data, at, end, mapping->shared);
			continue;
		}
		if (run->scan->mapped)
			run->scan->mapped(run->scan->data, at, end);
		end = stacks_part(&run->stacks, at, end, &place, &left_out);
		if (left_out)
			continue;
		if (large)
			scan_large(run->scan, &run->resident, mapping->shared, at, end, &place);
		else
			scan_guarded(run->scan, at, end, &place);
	}
}

static bool begins_with(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return !*with;
}

/*
 * Anonymous memory is read even where it cannot be written now: collectors and
 * hosts that seal their data take the right away after they wrote.  Of files
 * such mappings are code and constants.
 *
 * Devices may do anything when they are read.  Rings of io_uring hold addresses
 * of the program; other anonymous inodes belong to drivers.
 */
static bool scan_is_root(const struct mapping *mapping)
{
	const char *name = mapping->name;

	if (!mapping->read || (!mapping->write && mapping->file))
		return false;
	if (begins_with(name, "/dev/"))
		return begins_with(name, "/dev/shm/") || begins_with(name, "/dev/zero") ||
		       begins_with(name, "/dev/hugepages");
	if (begins_with(name, "anon_inode:"))
		return begins_with(name, "anon_inode:[io_uring]");
	return !begins_with(name, "/dmabuf:") && !begins_with(name, "[vvar") &&
	       !begins_with(name, "[vdso") && !begins_with(name, "[vsyscall");
}

static void scan_registers(const struct scan *scan, const struct world *world)
{
	size_t i, k;

	for (i = 0; i < world->thread_count; i++) {
		const struct world_thread *thread = &world->threads[i];
		const uintptr_t *vectors = (const void *)thread->vectors;
		struct scan_place place = {
			.kind = SCAN_REGISTER,
			.tid = thread->tid,
			.sp = thread->sp,
		};

		for (k = 0; k < thread->register_count; k++) {
			place.reg = (unsigned int)k;
			if (scan_wants(scan, thread->registers[k]))
				scan->found(scan->data, thread->registers[k], &place);
		}
		place.reg = 255;
		for (k = 0; vectors && k < thread->vectors_size / sizeof(*vectors); k++)
			if (scan_wants(scan, vectors[k]))
				scan->found(scan->data, vectors[k], &place);
	}
}

void scan_memory(struct scan *scan, const struct world *world)
{
	const size_t size = LINES_SIZE + PAGES_SIZE + stacks_size(world);
	struct scan_run run = {.scan = scan};
	struct mapping mapping;
	long room;

	scan->bytes = 0;
	scan->error = 0;
	room = raw(
		SYS_mmap, NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room < 0 && room > -4096) {
		scan->error = (int)-room;
		return;
	}
	run.own[0][0] = world->own_start;
	run.own[0][1] = world->own_end;
	run.own[1][0] = (uintptr_t)room;
	run.own[1][1] = (uintptr_t)room + size;
	stacks_find(&run.stacks, world, (char *)room + LINES_SIZE + PAGES_SIZE);
	resident_open(&run.resident, (char *)room + LINES_SIZE, PAGES_SIZE);
	if (maps_open(&run.maps, (void *)room, LINES_SIZE)) {
		while (maps_next(&run.maps, &mapping)) {
			if (begins_with(mapping.name, "[stack]"))
				stacks_add_main(&run.stacks, mapping.start, mapping.end);
			if (scan_is_root(&mapping))
				scan_mapping(&run, &mapping);
			else if (scan->mapped && mapping.read)
				scan->mapped(scan->data, mapping.start, mapping.end);
		}
		maps_close(&run.maps);
	}
	resident_close(&run.resident);
	/* last: a variable says more than what a system call left in a register */
	scan_registers(scan, world);
	if (run.maps.error)
		scan->error = run.maps.error;
	raw(SYS_munmap, room, size);
}
