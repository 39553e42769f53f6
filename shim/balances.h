/* SPDX-License-Identifier: MIT */
/*
 * What generations acquire besides memory and threads, counted: one record in
 * SESSION_BALANCES for each generation, kind and place; and what of it is left
 * at the unload, one by one (SESSION_LEFTOVERS).
 *
 * Whoever keeps a thing keeps the index of its balance with it, which tells
 * everything else.  Counting is async-signal-safe and takes no lock.
 */
#ifndef RELIB_BALANCES_H
#define RELIB_BALANCES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/heap.h"
#include "shim/session.h"

/*
 * Counts one more that origin's generation acquired (bytes: of a mapping, else
 * 0), and returns the index of the balance; 0: it cannot be recorded (nobody's,
 * a full table, a lock that cannot be had in a signal handler).  Keeps errno.
 */
uint32_t balance_acquire(struct origin origin, enum session_resource kind, uint64_t bytes);

/* One of them became larger by so many bytes. */
void balance_grow(uint32_t balance, uint64_t bytes);

/* balance: not 0. */
static inline struct session_balance *balance_at(uint32_t balance)
{
	return session_record(SESSION_BALANCES, balance);
}

/* The generation's record. */
static inline struct session_generation *balance_generation(uint32_t balance)
{
	return session_record(SESSION_GENERATIONS, balance_at(balance)->generation);
}

/*
 * count of them, with bytes in all, were given back by the program: before the
 * generation's unload, or after it (later).  _before: the unload found that it
 * had been done before.
 */
void balance_give_back(uint32_t balance, uint64_t count, uint64_t bytes);
void balance_give_back_before(uint32_t balance, uint64_t count, uint64_t bytes);
/*
 * For who counts often: a balance and its generation where they stand, which
 * is for ever.  Each counts one; keeps errno.
 */
struct balance_spot {
	struct session_balance *balance;
	struct session_generation *generation;
};

static inline struct balance_spot balance_spot(uint32_t balance)
{
	return (struct balance_spot){balance_at(balance), balance_generation(balance)};
}

static inline void balance_spot_acquire(struct balance_spot spot)
{
	__atomic_fetch_add(&spot.balance->acquired, 1, __ATOMIC_RELAXED);
}

static inline void balance_spot_give_back(struct balance_spot spot)
{
	bool later = spot.generation->state != SESSION_LOADED;

	__atomic_fetch_add(
		later ? &spot.balance->later : &spot.balance->given_back, 1, __ATOMIC_RELAXED);
}

/* relib took them back. */
void balance_take_back(uint32_t balance, uint64_t count, uint64_t bytes);

/*
 * Records one thing that is left (like: balance, state, number, bytes, root;
 * text and why may be NULL; without text, like's).  Returns its index in SESSION_LEFTOVERS; 0 when
 * the balance has its most already, or the table is full.  With
 * SESSION_TAKEN_BACK it is counted too.
 */
uint32_t leftover_add(const struct session_leftover *like, const char *text, const char *why);

/* What became of it since; 0 is no leftover.  Does not count. */
void leftover_state(uint32_t leftover, enum session_leftover_state state);

struct generation;
/* Calls visit for each balance of the generation, which is not unmapped yet. */
void balances_each(const struct generation *generation,
	void (*visit)(struct session_balance *balance, void *data), void *data);

/* The generation's code is gone, and acquires nothing any more. */
void balances_end(struct generation *generation);

/* In a forked child, when its session becomes its own: only what is still held counts. */
void balances_settle(void);
void balances_fork_child(void);

#endif
