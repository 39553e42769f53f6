/* SPDX-License-Identifier: MIT */
/*
 * Generations: each load of a tracked module.  A generation has a slot of 16
 * bits, which block metadata carry, from its load until nothing of it is left.
 */
#ifndef RELIB_GENERATION_H
#define RELIB_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object;
struct balance_entry;

#define GENERATION_BALANCES 16u /* lists */

enum generation_state {
	GENERATION_FREE,
	GENERATION_ALIVE,
	GENERATION_GONE,      /* unmapped, not looked through yet */
	GENERATION_LOOKED_AT, /* the look that is under way is for it, among others */
	GENERATION_DEAD,      /* looked through; kept blocks may be left */
};

struct generation {
	uint8_t state;	 /* enum generation_state */
	bool used;	 /* by a block, as of the last look */
	bool kept;	 /* and not only the C library refers to such a block */
	uint32_t goes;	 /* ALIVE, and this unload, which is under way, would take it; 0: none */
	uint32_t record; /* in SESSION_GENERATIONS */
	uint32_t object; /* in SESSION_OBJECTS */
	bool settled;	 /* what it left is found out, see settle.h */
	bool finished;	 /* nothing is left of it but its mapping: see finalize.h */
	bool exits;	 /* it has registered exit handlers: destructors of static objects */
	void *dso;	 /* what it calls __cxa_finalize with, NULL: not known yet */
	size_t tls_module, tls_size, tls_least; /* of the image that went, see struct object */
	uintptr_t start, end;			/* where it was mapped */
	struct balance_entry *balances[GENERATION_BALANCES]; /* see balances.h */
	uint32_t dangling; /* its first in SESSION_DANGLINGS, or before that; 0: none yet */
};

/* Never NULL for a slot that block metadata carry. */
struct generation *generation_at(uint16_t slot);
/* Slots handed out so far lie below this. */
uint32_t generation_limit(void);

/*
 * A new generation of a tracked object, brought by another generation's slot
 * (0: dlopened itself).  0 when there are no more slots.  Inside the loader's
 * lock.
 */
uint16_t generation_begin(struct object *object, uint16_t parent);

/* How many are ALIVE: with none, no allocation can be a module's. */
extern uint32_t generation_alive;

/* The object was unmapped. */
void generation_gone(uint16_t slot);
/* The slot of the ALIVE generation whose image holds the address; 0: none.  Takes no lock. */
uint16_t generation_of(uintptr_t address);

/* How many are GONE; generation_looked when one was looked through and is DEAD. */
uint32_t generation_gone_count(void);
void generation_looked(uint16_t slot);

/* Nothing refers to the slot any more. */
void generation_end(uint16_t slot);

void generation_fork_child(void);

#endif
