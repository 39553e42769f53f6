/* SPDX-License-Identifier: MIT */
/* The ordered set of intervals, against a plain table of pages that says whose each one is. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shim/interval-set.h"
#include "shim/thread.h"
#include "tests/unit/suite.h"

#define PAGES 512
#define ROUNDS 20000
#define AT(page) ((uintptr_t)(page) << 12)

/* The set is alone here: nobody's thread-locals are used but the locks'. */
__thread struct thread thread_self;

static struct intervals set;
static char owners[PAGES + 1]; /* what .of of each page points to */
static int model[PAGES];       /* 0: nobody's */

static void set_up(void)
{
	set = (struct intervals){0};
	memset(model, 0, sizeof(model));
}

static int owner_of(const struct interval *interval)
{
	return (int)((char *)interval->of - owners);
}

/* All of the set is as in the model, in order, and nothing else is in it. */
static void check_all(void)
{
	size_t pages = 0, count = 0;
	uintptr_t at = 0;

	for (const struct interval *i = intervals_from(&set, 0); i; i = intervals_from(&set, at)) {
		ck_assert(i->start >= at && i->start < i->end);
		for (at = i->start; at < i->end; at += AT(1), pages++)
			ck_assert_int_eq(model[at >> 12], owner_of(i));
		count++;
	}
	for (int page = 0; page < PAGES; page++)
		pages -= model[page] != 0;
	ck_assert_uint_eq(pages, 0);
	ck_assert_uint_eq(count, set.count);
}

/* What was cut out is what the model has there. */
static void check_cut(const struct interval *list, int from, int to)
{
	uintptr_t at = AT(from);

	for (; list; list = list->right) {
		for (; at < list->start; at += AT(1))
			ck_assert_int_eq(model[at >> 12], 0);
		ck_assert_uint_eq(at, list->start);
		for (; at < list->end; at += AT(1))
			ck_assert_int_eq(model[at >> 12], owner_of(list));
	}
	for (; at < AT(to); at += AT(1))
		ck_assert_int_eq(model[at >> 12], 0);
	ck_assert_uint_eq(at, AT(to));
}

static void cut(int from, int to)
{
	struct interval *list = intervals_cut(&set, AT(from), AT(to));

	check_cut(list, from, to);
	intervals_drop(list);
	memset(model + from, 0, (size_t)(to - from) * sizeof(model[0]));
}

static void add(int from, int to, int owner)
{
	cut(from, to);
	ck_assert(intervals_add(&set, AT(from), AT(to), owners + owner));
	for (int page = from; page < to; page++)
		model[page] = owner;
}

START_TEST(any_order)
{
	unsigned int seed = 11;

	for (int round = 0; round < ROUNDS; round++) {
		int from = rand_r(&seed) % PAGES, to = from + 1 + rand_r(&seed) % 20;

		if (to > PAGES)
			to = PAGES;
		switch (rand_r(&seed) % 4) {
		case 0:
		case 1:
			add(from, to, 1 + rand_r(&seed) % PAGES);
			break;
		case 2:
			cut(from, to);
			break;
		default:
			/* a call that failed: all is as before */
			intervals_restore(&set, intervals_cut(&set, AT(from), AT(to)));
		}
		if (round % 50 == 0)
			check_all();
	}
	cut(0, PAGES);
	check_all();
	ck_assert_uint_eq(set.count, 0);
}
END_TEST

START_TEST(in_the_middle)
{
	struct interval *list;

	add(10, 20, 1);
	add(20, 30, 2);
	list = intervals_cut(&set, AT(15), AT(25));
	check_cut(list, 15, 25);
	ck_assert_ptr_nonnull(list->right);
	ck_assert_ptr_null(list->right->right);
	ck_assert_uint_eq(set.count, 2);
	intervals_restore(&set, list);
	ck_assert_uint_eq(set.count, 4);
	check_all();
	ck_assert_ptr_null(intervals_cut(&set, AT(30), AT(40)));
	ck_assert_ptr_null(intervals_cut(&set, 0, AT(10)));
	ck_assert_ptr_null(intervals_from(&set, AT(30)));
	cut(0, PAGES);
}
END_TEST

/* Rising addresses, the worst order for a plain tree: a walk would not end in time. */
START_TEST(many_in_order)
{
	const int many = 60000;
	int found = 0;

	for (int i = 0; i < many; i++)
		found += intervals_add(&set, AT(2 * i), AT(2 * i + 1), owners);
	ck_assert_int_eq(found, many);
	found = 0;
	for (int round = 0; round < 20; round++)
		for (int i = 0; i < many; i++)
			found += intervals_from(&set, AT(2 * i))->start == AT(2 * i);
	ck_assert_int_eq(found, 20 * many);
	intervals_drop(intervals_cut(&set, 0, AT(2 * many)));
	ck_assert_uint_eq(set.count, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interval-set");

	suite_add(suite, "any_order", any_order, set_up, NULL);
	suite_add(suite, "in_the_middle", in_the_middle, set_up, NULL);
	suite_add(suite, "many_in_order", many_in_order, set_up, NULL);
	return suite_run(suite);
}
