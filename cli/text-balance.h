/* SPDX-License-Identifier: MIT */
/* The balances of a module's generations by kind, as a table, and what each reload adds. */
#ifndef RELIB_TEXT_BALANCE_H
#define RELIB_TEXT_BALANCE_H

#include "cli/balance.h"
#include "cli/paper.h"

/* The balance of one generation, or of several that left the same. */
struct text_balance {
	struct balance_sum sums[KINDS];
	struct acquired_range {
		uint64_t least, most, least_back, most_back;
	} range[KINDS];
};

void text_balance_start(
	struct text_balance *balance, const struct leaks *leaks, uint32_t generation);
/* False, and nothing is changed: that generation did not leave the same. */
bool text_balance_join(
	struct text_balance *balance, const struct leaks *leaks, uint32_t generation);

/* How many lines it would have; none if it is about memory, threads and keys alone. */
size_t text_balance_lines(const struct text_balance *balance, const struct leaks *leaks);
void text_balance_print(
	const struct paper *paper, const struct leaks *leaks, const struct text_balance *balance);

/* All generations of a module as one balance. */
void text_balance_of_module(struct text_balance *balance, const struct leaks_module *module);

void text_growth_print(
	const struct paper *paper, const struct leaks *leaks, const struct leaks_module *module);

/* "2 descriptors", "1 mapping (4,096 bytes)"; returns @buffer. */
#define THINGS_SIZE (3 * NUMBER_SIZE)
const char *things_text(char buffer[THINGS_SIZE], uint32_t kind, struct tally tally);

#endif
