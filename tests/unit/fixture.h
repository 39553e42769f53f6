/* SPDX-License-Identifier: MIT */
/* A shared object of which the tests know every line. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

/* Where a call in fixture_inner(), inlined into fixture_middle() and both into
 * fixture_outer(), returns to, and the lines of the three calls. */
typedef void *fixture_function(void);

struct fixture_lines {
	int inner, middle, outer;
};

struct fixture_table {
	int first;
	int numbers[10];
};

#endif
