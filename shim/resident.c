/* SPDX-License-Identifier: MIT */
#include "shim/resident.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "shim/arch.h"

#define PAGE 4096u
#define PRESENT (1ull << 63) /* in an entry of pagemap */
#define SWAPPED (1ull << 62)

/* From linux/fs.h of 6.7, which the headers we build with may not have. */
struct resident_scan {
	uint64_t size, flags, start, end, walk_end, regions, region_count, max_pages;
	uint64_t inverted, all_of, any_of, returned;
};

struct resident_region {
	uint64_t start, end, categories;
};

#define RESIDENT_SCAN _IOWR('f', 16, struct resident_scan)
#define CATEGORY_PRESENT (1u << 3)
#define CATEGORY_SWAPPED (1u << 4)

void resident_open(struct resident *resident, void *buffer, size_t size)
{
	resident->fd =
		(int)raw(SYS_openat, AT_FDCWD, "/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	resident->no_ioctl = false;
	resident->buffer = buffer;
	resident->size = size;
}

void resident_close(struct resident *resident)
{
	if (resident->fd >= 0)
		raw(SYS_close, resident->fd);
	resident->fd = -1;
}

/* One question that skips what has no page table: nothing for a terabyte never touched. */
static int resident_ask(struct resident *resident, uintptr_t *start, uintptr_t *stop, uintptr_t end)
{
	struct resident_region region = {0, 0, 0};
	struct resident_scan scan = {
		.size = sizeof(scan),
		.start = *start,
		.end = end,
		.regions = (uintptr_t)&region,
		.region_count = 1,
		.any_of = CATEGORY_PRESENT | CATEGORY_SWAPPED,
		.returned = CATEGORY_PRESENT | CATEGORY_SWAPPED,
	};
	long result = raw(SYS_ioctl, resident->fd, RESIDENT_SCAN, &scan);

	if (result < 0)
		return (int)result;
	*start = region.start;
	*stop = region.end;
	return result > 0;
}

static int resident_read(
	struct resident *resident, uintptr_t *start, uintptr_t *stop, uintptr_t end)
{
	const uint64_t *entries = resident->buffer;
	size_t most = 512; /* little at first: the hole may end soon */
	uintptr_t at = *start;
	bool found = false;

	while (at < end) {
		size_t pages = (end - at) / PAGE, i;
		long got;

		if (pages > most)
			pages = most;
		most = resident->size / sizeof(*entries);
		got = raw(SYS_pread64, resident->fd, resident->buffer, pages * sizeof(*entries),
			at / PAGE * sizeof(*entries));
		if (got < (long)sizeof(*entries))
			return got < 0 ? (int)got : -EIO;
		for (i = 0; i < (size_t)got / sizeof(*entries); i++, at += PAGE) {
			bool holds = (entries[i] & (PRESENT | SWAPPED)) != 0;

			if (holds && !found)
				*start = at;
			if (!holds && found) {
				*stop = at;
				return 1;
			}
			found = holds;
		}
		if (found) {
			*stop = at;
			return 1;
		}
	}
	return 0;
}

static int resident_in_core(
	struct resident *resident, uintptr_t *start, uintptr_t *stop, uintptr_t end)
{
	const unsigned char *pages = resident->buffer;
	uintptr_t at = *start;

	while (at < end) {
		size_t count = (end - at) / PAGE, i, first;
		long result;

		if (count > resident->size)
			count = resident->size;
		result = raw(SYS_mincore, at, count * PAGE, resident->buffer);
		if (result < 0)
			return (int)result;
		for (first = 0; first < count && !(pages[first] & 1); first++)
			;
		for (i = first; i < count && (pages[i] & 1); i++)
			;
		if (i > first) {
			*start = at + first * PAGE;
			*stop = at + i * PAGE;
			return 1;
		}
		at += count * PAGE;
	}
	return 0;
}

int resident_next(
	struct resident *resident, bool shared, uintptr_t *start, uintptr_t *stop, uintptr_t end)
{
	int result;

	if (shared)
		return resident_in_core(resident, start, stop, end);
	if (resident->fd < 0)
		return resident->fd;
	if (!resident->no_ioctl) {
		result = resident_ask(resident, start, stop, end);
		if (result >= 0)
			return result;
		resident->no_ioctl = true;
	}
	return resident_read(resident, start, stop, end);
}
