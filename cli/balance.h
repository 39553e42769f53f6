/* SPDX-License-Identifier: MIT */
/* What generations acquired and left, summed up by kind; and what each reload adds to the host. */
#ifndef RELIB_BALANCE_H
#define RELIB_BALANCE_H

#include "cli/leaks.h"

/* Blocks count whatever it is that the kind is about. */
struct balance_sum {
	struct tally acquired, given_back; /* by the program, before the unload */
	struct tally held;		   /* by a generation that is still loaded */
	struct tally left;		   /* at the unload */
	struct tally taken_back, later;	   /* of left: by relib; by the program since */
	struct tally kept;		   /* of left: something outside refers to it, as far as it
					    * is told one by one */
};

/* Fills sums[KINDS]; of memory, threads, thread-locals and keys only what is known. */
void generation_sums(
	const struct leaks *leaks, uint32_t generation, struct balance_sum sums[KINDS]);
void balance_sum_add(struct balance_sum *sum, const struct balance_sum *more);

/* Adds one record. */
void balance_add(
	const struct leaks *leaks, struct balance_sum *sum, const struct session_balance *balance);

/* What the module is to be blamed for: given back later means handed over. */
struct tally balance_residue(const struct balance_sum *sum);

/* What is still there, for all that is known. */
struct tally balance_behind(const struct balance_sum *sum);

/* For leaks_open and leaks_close: the sums of modules, the faults, and growth. */
void leaks_balances_open(struct leaks *leaks);
void leaks_balances_close(struct leaks *leaks);
void leaks_growth_open(struct leaks *leaks);
void leaks_growth_close(struct leaks *leaks);

#endif
