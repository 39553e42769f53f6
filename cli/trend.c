/* SPDX-License-Identifier: MIT */
#include "cli/trend.h"

#include "cli/verdict.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <string.h>

/* Of bytes, less than that per cycle is the allocators' and the kernel's rounding. */
#define BYTES_PER_CYCLE 16384

bool series_grows(const int64_t *value, size_t count, int64_t *by)
{
	size_t i, steps = 0;
	int64_t floor;

	if (count < 3 || value[count - 1] < 0)
		return false;
	floor = value[count - 1];
	/* From the last to the first, with the least of what came later. */
	for (i = count - 1; i-- > 0;) {
		if (value[i] < 0)
			return false;
		if (value[i] < floor) {
			floor = value[i];
			steps++;
		}
	}
	*by = value[count - 1] - floor;
	return steps >= 2 && steps >= (count - 1) / 3;
}

/* A thread has a stack and is told first; what is mapped and touched is told once. */
static const struct {
	const char *kind, *one, *many;
	size_t offset;
	bool bytes;
	unsigned int is, explained; /* bits: what it is, and by which it is explained */
} series[] = {
#define SERIES(kind, one, many, member, bytes, is, explained)                                      \
	{                                                                                          \
		kind, one, many, offsetof(struct measurement, member), bytes, is, explained        \
	}
	SERIES("growth-threads", "thread", "threads", threads, false, 1, 0),
	SERIES("growth-descriptors", "descriptor", "descriptors", descriptors, false, 0, 0),
	SERIES("growth-resident", "byte of memory", "bytes of memory", resident, true, 2, 0),
	SERIES("growth-size", "byte of mappings", "bytes of mappings", size, true, 2, 3),
	SERIES("growth-mappings", "mapping", "mappings", mappings, false, 0, 3),
};

static char *growth_text(int64_t by, uint64_t cycles, const char *one, const char *many)
{
	char number[NUMBER_SIZE];

	if (by % (int64_t)cycles == 0) {
		number_text(number, by / cycles);
		return text_format("%s %s per cycle", number, by == (int64_t)cycles ? one : many);
	}
	number_text(number, by);
	return text_format(
		"%s %s in the last %" PRIu64 " cycles", number, by == 1 ? one : many, cycles);
}

static bool series_read(const struct host_record *record, size_t i, uint64_t cycles, int64_t *by)
{
	int64_t value[MEASUREMENTS_MOST];
	size_t k;

	for (k = 0; k < record->measured; k++)
		memcpy(&value[k], (const char *)&record->measurement[k] + series[i].offset,
			sizeof(value[k]));
	return series_grows(value, record->measured, by) &&
	       (!series[i].bytes || *by >= (int64_t)cycles * BYTES_PER_CYCLE);
}

void plugin_judge_growth(struct plugin_verdict *plugin, const struct host_record *record)
{
	size_t count = record->measured, i;
	unsigned int told = 0;
	uint64_t cycles;
	int64_t by;

	if (record->stage != HOST_ENDED || record->failure != HOST_SOUND)
		plugin_skip(plugin, CHECK_GROWTH, "it did not run to the end");
	else if (count < 3 || count > MEASUREMENTS_MOST)
		plugin_skip(plugin, CHECK_GROWTH, "there were too few cycles");
	if (plugin->skipped[CHECK_GROWTH])
		return;
	cycles = record->measurement[count - 1].cycle - record->measurement[0].cycle;
	for (i = 0; i < sizeof(series) / sizeof(series[0]) && cycles; i++) {
		if (told & series[i].explained || !series_read(record, i, cycles, &by))
			continue;
		told |= series[i].is;
		cause_detail(plugin_cause(plugin, series[i].kind, NULL, ""),
			growth_text(by, cycles, series[i].one, series[i].many));
	}
}
