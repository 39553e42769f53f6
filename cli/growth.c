/* SPDX-License-Identifier: MIT */
#include "cli/balance.h"

#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

/* The modules of one path, its builds, are one plugin that is reloaded. */
struct path_module {
	const char *path;
	struct leaks_module *module;
};

static int path_compare(const void *a, const void *b)
{
	const struct path_module *x = a, *y = b;
	int order = strcmp(x->path, y->path);

	return order ? order : x->module < y->module ? -1 : x->module > y->module;
}

static int index_compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* A change of the process's state is made again, and adds nothing; keys and the like are gone. */
static bool kind_grows(uint32_t kind)
{
	return !resource_kind(kind)->is_state && kind != KIND_THREAD_LOCAL && kind != KIND_KEY;
}

static void growth_add(struct growth *growth, struct balance_sum sums[KINDS])
{
	struct growth_kind *kind;
	struct tally behind;
	uint32_t i;

	for (i = 0; i < KINDS; i++) {
		kind = &growth->kinds[i];
		behind = kind_grows(i) ? balance_behind(&sums[i]) : tally_of(0, 0);
		if (!growth->generations || behind.blocks < kind->least.blocks)
			kind->least.blocks = behind.blocks;
		if (!growth->generations || behind.bytes < kind->least.bytes)
			kind->least.bytes = behind.bytes;
		if (behind.blocks > kind->most.blocks)
			kind->most.blocks = behind.blocks;
		if (behind.bytes > kind->most.bytes)
			kind->most.bytes = behind.bytes;
		tally_add(&kind->sum, behind);
	}
	growth->generations++;
}

static void growth_fill(
	const struct leaks *leaks, struct growth *growth, const struct index_list *generations)
{
	const struct session_generation *generation;
	struct balance_sum sums[KINDS];
	size_t i;

	/* The first is left out: what is set up once and stays is no growth. */
	for (i = 1; i < generations->count; i++) {
		generation = session_generation(leaks->session, generations->index[i]);
		if (generation->state == SESSION_LOADED)
			continue;
		growth->blind |= generation->state == SESSION_UNLOADED_BLIND;
		generation_sums(leaks, generations->index[i], sums);
		growth_add(growth, sums);
	}
}

static size_t path_growth(struct leaks *leaks, const struct path_module *list, size_t count)
{
	struct index_list generations = {0};
	struct growth *growth = memory_zeroed(1, sizeof(*growth));
	size_t i, k, same;

	for (same = 0; same < count && strcmp(list[same].path, list[0].path) == 0; same++)
		for (k = 0; k < list[same].module->generations.count; k++)
			index_add(&generations, list[same].module->generations.index[k]);
	if (generations.count)
		qsort(generations.index, generations.count, sizeof(*generations.index),
			index_compare);
	growth_fill(leaks, growth, &generations);
	for (i = 0; i < same; i++)
		list[i].module->growth = growth;
	/* one of them frees it, and tells of it */
	list[same - 1].module->last_of_path = true;
	free(generations.index);
	return same;
}

void leaks_growth_open(struct leaks *leaks)
{
	struct path_module *list = memory_zeroed(leaks->module_count + 1, sizeof(*list));
	size_t i;

	for (i = 0; i < leaks->module_count; i++)
		list[i] = (struct path_module){
			session_object_path(leaks->session, leaks->modules[i].object),
			&leaks->modules[i]};
	qsort(list, leaks->module_count, sizeof(*list), path_compare);
	for (i = 0; i < leaks->module_count; leaks->file_count++)
		i += path_growth(leaks, list + i, leaks->module_count - i);
	free(list);
}

void leaks_growth_close(struct leaks *leaks)
{
	size_t i;

	for (i = 0; i < leaks->module_count; i++)
		if (leaks->modules[i].last_of_path)
			free(leaks->modules[i].growth);
}
