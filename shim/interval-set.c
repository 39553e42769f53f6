/* SPDX-License-Identifier: MIT */
#include "shim/interval-set.h"

#include "shim/arena.h"

static struct interval *spare;

static struct interval *interval_take(void)
{
	struct interval *interval = spare;

	if (!interval)
		return arena_take(sizeof(*interval));
	spare = interval->right;
	return interval;
}

/* Which one of two is nearer to the root: as good as random. */
static uint64_t rank_of(const struct interval *interval)
{
	uint64_t rank = (uint64_t)interval->start * UINT64_C(0x9e3779b97f4a7c15);

	return (rank ^ rank >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
}

/* Those that start before the address, and the others. */
static void tree_split(
	struct interval *tree, uintptr_t at, struct interval **before, struct interval **others)
{
	if (!tree) {
		*before = *others = NULL;
	} else if (tree->start < at) {
		*before = tree;
		tree_split(tree->right, at, &tree->right, others);
	} else {
		*others = tree;
		tree_split(tree->left, at, before, &tree->left);
	}
}

/* All of one lie before all of the other. */
static struct interval *tree_join(struct interval *one, struct interval *other)
{
	if (!one || !other)
		return one ? one : other;
	if (rank_of(one) > rank_of(other)) {
		one->right = tree_join(one->right, other);
		return one;
	}
	other->left = tree_join(one, other->left);
	return other;
}

static void tree_add(struct intervals *intervals, struct interval *interval)
{
	struct interval *before, *others;

	interval->left = interval->right = NULL;
	tree_split(intervals->root, interval->start, &before, &others);
	intervals->root = tree_join(tree_join(before, interval), others);
	intervals->count++;
}

bool intervals_add(struct intervals *intervals, uintptr_t start, uintptr_t end, void *of)
{
	struct interval *interval = interval_take();

	if (!interval)
		return false;
	*interval = (struct interval){.start = start, .end = end, .of = of};
	tree_add(intervals, interval);
	return true;
}

struct interval *intervals_from(const struct intervals *intervals, uintptr_t address)
{
	struct interval *found = NULL;

	for (struct interval *at = intervals->root; at;) {
		if (at->end > address) {
			found = at;
			at = at->left;
		} else {
			at = at->right;
		}
	}
	return found;
}

/* Makes one that holds the address end there, and another begin.  False: none could be made. */
static bool interval_part(struct intervals *intervals, struct interval *interval, uintptr_t address)
{
	uintptr_t end = interval->end;

	if (interval->start >= address)
		return true;
	interval->end = address;
	if (intervals_add(intervals, address, end, interval->of))
		return true;
	interval->end = end;
	return false;
}

/* A tree as a list by right, in order, before the rest. */
static struct interval *tree_list(struct interval *tree, struct interval *rest, size_t *count)
{
	while (tree) {
		struct interval *left = tree->left;

		tree->right = tree_list(tree->right, rest, count);
		tree->left = NULL;
		++*count;
		rest = tree;
		tree = left;
	}
	return rest;
}

struct interval *intervals_cut(struct intervals *intervals, uintptr_t start, uintptr_t end)
{
	struct interval *first = intervals_from(intervals, start), *last;
	struct interval *before, *middle, *behind, *list;
	size_t count = 0;

	if (!first || first->start >= end)
		return NULL;
	if (!interval_part(intervals, first, start))
		start = first->start;
	last = intervals_from(intervals, end);
	if (last && !interval_part(intervals, last, end))
		end = last->end;
	tree_split(intervals->root, start, &before, &middle);
	tree_split(middle, end, &middle, &behind);
	intervals->root = tree_join(before, behind);
	list = tree_list(middle, NULL, &count);
	intervals->count -= count;
	return list;
}

void intervals_restore(struct intervals *intervals, struct interval *list)
{
	while (list) {
		struct interval *next = list->right;

		tree_add(intervals, list);
		list = next;
	}
}

void intervals_drop(struct interval *list)
{
	while (list) {
		struct interval *next = list->right;

		list->right = spare;
		spare = list;
		list = next;
	}
}
