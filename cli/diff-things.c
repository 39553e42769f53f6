/* SPDX-License-Identifier: MIT */
#include "cli/diff.h"

#include "cli/balance.h"
#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

bool diff_thing_is_changed(const struct diff_thing *thing)
{
	return thing->left.blocks || thing->left.bytes;
}

void diff_things_add(struct diff *diff, const struct leaks *leaks, const struct leaks_place *place,
	const char *key)
{
	struct balance_sum sums[SESSION_RESOURCES] = {0};
	const struct session_balance *balance;
	struct diff_thing *thing;
	uint32_t kind;
	size_t i;

	for (i = 0; i < place->balances.count; i++) {
		balance = session_balance(leaks->session, place->balances.index[i]);
		balance_add(leaks, &sums[resource_kind_of(balance)], balance);
	}
	for (kind = 0; kind < SESSION_RESOURCES && place->balances.count; kind++) {
		if (!sums[kind].acquired.blocks)
			continue;
		thing = array_append(&diff->things, &diff->thing_count, sizeof(*thing));
		thing->key = text_format("%s\n%s", key, resource_kind(kind)->name);
		thing->leaks = leaks;
		thing->place = place->index;
		thing->kind = kind;
		*(leaks == diff->before ? &thing->before : &thing->after) =
			balance_residue(&sums[kind]);
	}
}

static int key_compare(const void *a, const void *b)
{
	const struct diff_thing *x = a, *y = b;

	return strcmp(x->key, y->key);
}

static void things_merge(struct diff *diff)
{
	struct diff_thing *last, *next;
	size_t i, count = 0;

	if (diff->thing_count)
		qsort(diff->things, diff->thing_count, sizeof(*diff->things), key_compare);
	for (i = 0; i < diff->thing_count; i++) {
		next = &diff->things[i];
		last = count ? &diff->things[count - 1] : NULL;
		if (!last || strcmp(last->key, next->key) != 0) {
			diff->things[count++] = *next;
			continue;
		}
		tally_add(&last->before, next->before);
		tally_add(&last->after, next->after);
		if (next->leaks == diff->after) {
			last->leaks = next->leaks;
			last->place = next->place;
		}
		free(next->key);
	}
	diff->thing_count = count;
}

static int growth_compare(const void *a, const void *b)
{
	const struct diff_thing *x = a, *y = b;
	int64_t p = x->left.blocks, q = y->left.blocks;

	if (p == q) {
		p = x->left.bytes;
		q = y->left.bytes;
	}
	return p != q ? (p < q ? 1 : -1) : strcmp(x->key, y->key);
}

/* The growth of the plugin with the file name of @path, or NULL. */
static const struct growth *growth_find(const struct leaks *leaks, const char *path)
{
	const char *other;
	size_t i;

	for (i = 0; i < leaks->module_count; i++) {
		other = session_object_path(leaks->session, leaks->modules[i].object);
		if (leaks->modules[i].last_of_path &&
			strcmp(base_name(other), base_name(path)) == 0)
			return leaks->modules[i].growth;
	}
	return NULL;
}

static void reloads_add(struct diff *diff, const struct leaks_module *module)
{
	const char *path = session_object_path(diff->after->session, module->object);
	const struct growth *after = module->growth, *before = growth_find(diff->before, path);
	struct diff_reload *reload, made = {.path = path};
	uint32_t kind;

	if (!before || !before->generations || !after->generations)
		return;
	for (kind = 0; kind < KINDS; kind++) {
		made.kind = kind;
		made.before = (double)before->kinds[kind].sum.blocks / before->generations;
		made.after = (double)after->kinds[kind].sum.blocks / after->generations;
		if (made.before == made.after)
			continue;
		reload = array_append(&diff->reloads, &diff->reload_count, sizeof(*reload));
		*reload = made;
	}
}

void diff_things_end(struct diff *diff)
{
	struct diff_thing *thing;
	struct diff_growth *sum;
	size_t i;

	things_merge(diff);
	for (i = 0; i < diff->thing_count; i++) {
		thing = &diff->things[i];
		thing->left = diff_growth_of(thing->before, thing->after);
		sum = &diff->left[thing->kind];
		sum->blocks = (int64_t)((uint64_t)sum->blocks + (uint64_t)thing->left.blocks);
		sum->bytes = (int64_t)((uint64_t)sum->bytes + (uint64_t)thing->left.bytes);
	}
	if (diff->thing_count)
		qsort(diff->things, diff->thing_count, sizeof(*diff->things), growth_compare);
	for (i = 0; i < diff->after->module_count; i++)
		if (diff->after->modules[i].last_of_path)
			reloads_add(diff, &diff->after->modules[i]);
}

void diff_things_close(struct diff *diff)
{
	size_t i;

	for (i = 0; i < diff->thing_count; i++)
		free(diff->things[i].key);
	free(diff->things);
	free(diff->reloads);
}
