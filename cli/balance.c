/* SPDX-License-Identifier: MIT */
#include "cli/balance.h"

#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

void balance_sum_add(struct balance_sum *sum, const struct balance_sum *more)
{
	tally_add(&sum->acquired, more->acquired);
	tally_add(&sum->given_back, more->given_back);
	tally_add(&sum->held, more->held);
	tally_add(&sum->left, more->left);
	tally_add(&sum->taken_back, more->taken_back);
	tally_add(&sum->later, more->later);
	tally_add(&sum->kept, more->kept);
}

void balance_add(
	const struct leaks *leaks, struct balance_sum *sum, const struct session_balance *balance)
{
	struct tally acquired = tally_of(balance->acquired, balance->acquired_bytes);
	struct tally given_back = tally_of(balance->given_back, balance->given_back_bytes);
	bool loaded =
		session_generation(leaks->session, balance->generation)->state == SESSION_LOADED;

	tally_add(&sum->acquired, acquired);
	tally_add(&sum->given_back, given_back);
	tally_add(loaded ? &sum->held : &sum->left, tally_less(acquired, given_back));
	tally_add(&sum->taken_back, tally_of(balance->taken_back, balance->taken_back_bytes));
	tally_add(&sum->later, tally_of(balance->later, balance->later_bytes));
}

struct tally balance_residue(const struct balance_sum *sum)
{
	return tally_less(sum->left, sum->later);
}

struct tally balance_behind(const struct balance_sum *sum)
{
	return tally_less(tally_less(sum->left, sum->later), sum->taken_back);
}

/* What was kept and is freed by now had been left, too. */
static void memory_sum(const struct session_generation *g, struct balance_sum *sum)
{
	struct tally leaked = tally_of(g->leaked_blocks, g->leaked_bytes);

	sum->taken_back = tally_of(g->reclaimed_blocks, g->reclaimed_bytes);
	sum->kept = tally_of(g->kept_blocks, g->kept_bytes);
	sum->left = leaked;
	tally_add(&sum->left, tally_less(sum->taken_back, leaked));
	tally_add(&sum->left, sum->kept);
}

static void threads_sum(const struct leaks *leaks, uint32_t generation, struct balance_sum sums[])
{
	const struct session_generation *g = session_generation(leaks->session, generation);
	const struct index_list *threads = &leaks->generations[generation].threads;
	struct balance_sum *thread = &sums[KIND_THREAD];
	size_t i;

	for (i = 0; i < threads->count; i++)
		if (session_thread(leaks->session, threads->index[i])->generation == generation)
			tally_add(g->state == SESSION_LOADED ? &thread->held : &thread->left,
				tally_of(1, 0));
	sums[KIND_THREAD_LOCAL].left = tally_of((uint64_t)g->locals_run + g->locals_dropped, 0);
	sums[KIND_THREAD_LOCAL].taken_back = tally_of(g->locals_run, 0);
	sums[KIND_KEY].left = sums[KIND_KEY].taken_back = tally_of(g->keys_deleted, 0);
}

void generation_sums(const struct leaks *leaks, uint32_t generation, struct balance_sum sums[KINDS])
{
	const struct leaks_generation *told = &leaks->generations[generation];
	const struct session *session = leaks->session;
	const struct session_balance *balance;
	const struct session_leftover *leftover;
	size_t i;

	memset(sums, 0, KINDS * sizeof(*sums));
	for (i = 0; i < told->balances.count; i++) {
		balance = session_balance(session, told->balances.index[i]);
		balance_add(leaks, &sums[resource_kind_of(balance)], balance);
	}
	for (i = 0; i < told->leftovers.count; i++) {
		leftover = session_leftover(session, told->leftovers.index[i]);
		balance = session_balance(session, leftover->balance);
		if (leftover->state == SESSION_KEPT)
			tally_add(&sums[resource_kind_of(balance)].kept,
				tally_of(1, leftover->bytes));
	}
	memory_sum(session_generation(session, generation), &sums[KIND_MEMORY]);
	threads_sum(leaks, generation, sums);
}

static void faults_count(struct leaks *leaks, const struct balance_sum sums[KINDS])
{
	uint32_t kind;

	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		if (!KINDS_HAS(leaks->kinds, kind))
			continue;
		tally_add(&leaks->left[kind], balance_residue(&sums[kind]));
		tally_add(&leaks->behind[kind], balance_behind(&sums[kind]));
		*(resource_kind(kind)->is_state ? &leaks->faults.changes : &leaks->faults.things) +=
			balance_residue(&sums[kind]).blocks;
	}
}

void leaks_balances_open(struct leaks *leaks)
{
	struct balance_sum sums[KINDS];
	struct leaks_module *module;
	size_t i, k;
	uint32_t kind;

	for (i = 0; i < leaks->module_count; i++) {
		module = &leaks->modules[i];
		module->sums = memory_zeroed(KINDS, sizeof(*module->sums));
		for (k = 0; k < module->generations.count; k++) {
			generation_sums(leaks, module->generations.index[k], sums);
			for (kind = 0; kind < KINDS; kind++)
				balance_sum_add(&module->sums[kind], &sums[kind]);
			faults_count(leaks, sums);
		}
	}
}

void leaks_balances_close(struct leaks *leaks)
{
	size_t i;

	for (i = 0; i < leaks->module_count; i++)
		free(leaks->modules[i].sums);
}
