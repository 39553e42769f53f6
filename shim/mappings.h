/* SPDX-License-Identifier: MIT */
/*
 * Mappings and shared memory segments that modules made, by their addresses.
 * Holes and ends of one can be unmapped: it is given back when its last byte
 * is gone.  Whoever resizes one with mremap owns it from then on, as with
 * realloc.  What the C library maps for itself does not come here.
 *
 * Entries go before the kernel unmaps and come after it has mapped, as another
 * thread may get the same addresses at once.
 *
 * Any thread.  errno is kept.  A lock that cannot be had (in a signal handler
 * that interrupted us) when something is unmapped means that the entries are
 * not true any more: mappings_distrusted is set, and nothing is taken back.
 */
#ifndef RELIB_MAPPINGS_H
#define RELIB_MAPPINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/heap.h"
#include "shim/interval-set.h"
#include "shim/session-format.h"

/* One that a module made; its intervals' of. */
struct mapped {
	struct mapped *next;  /* while not in use */
	uint64_t number;      /* never used again */
	uintptr_t start, end; /* all that is left of it lies between */
	uint64_t bytes;	      /* left */
	uint32_t balance;
	uint32_t leftover;
	uint32_t look;	     /* for the look: its number there */
	uint16_t generation; /* slot; 0: it is not looked for any more */
	uint8_t kind;	     /* SESSION_MAPPING, SESSION_SEGMENT */
	bool recorded;	     /* found left at the unload */
	bool grows;	     /* downwards, by itself */
	int segment;	     /* its id */
};

extern struct intervals mappings;
extern uintptr_t mappings_low, mappings_high; /* all of them lie between */
extern bool mappings_distrusted;

/* False: no module's mapping is there.  Three loads. */
static inline bool mappings_touch(uintptr_t start, size_t length)
{
	return __builtin_expect(__atomic_load_n(&mappings.count, __ATOMIC_RELAXED) != 0, 0) &&
	       start < __atomic_load_n(&mappings_high, __ATOMIC_RELAXED) &&
	       start + length > __atomic_load_n(&mappings_low, __ATOMIC_RELAXED);
}

/* A call that maps, as far as it is of use here. */
struct mapping_call {
	struct origin origin; /* place 0: the host's */
	uint8_t kind;
	bool grows;
	int segment;
};

/* It was mapped, in the place of whatever was there.  length: of whole pages. */
void mapping_made(const struct mapping_call *call, uintptr_t start, size_t length);

/* Before a range is unmapped: takes it out.  NULL: nothing of a module's is there. */
struct interval *mappings_take(uintptr_t start, size_t length);
/* The same for what is left of the segment that was attached there. */
struct interval *mappings_take_segment(uintptr_t start);
/* And of one, if it is the one with the number still. */
struct interval *mappings_take_all(struct mapped *mapped, uint64_t number);

/* Then: it was unmapped by the program, or it was not. */
void mappings_gone(struct interval *taken);
void mappings_restore(struct interval *taken);

/* What was taken was unmapped by relib: not counted here.  Returns its bytes. */
uint64_t mappings_gone_uncounted(struct interval *taken);

/*
 * It was found left, with that record.  again: it is to be looked for again.
 * False: it is not there any more.
 */
bool mapped_note(struct mapped *mapped, uint64_t number, uint32_t leftover, bool again);

/*
 * mremap moved what was taken from old (nothing, if length is 0) to start;
 * kept: old is still mapped.
 */
void mapping_moved(const struct mapping_call *call, struct interval *taken, uintptr_t old,
	size_t length, uintptr_t start, size_t new_length, bool kept);

/* The pages that grow by themselves and did, before a look. */
void mappings_note_growth(void);

/*
 * Calls visit for each interval in order: with the lock; or with the world
 * stopped.  False: it cannot be had, or a stopped thread is at work there.
 */
bool mappings_each(bool stopped, void (*visit)(struct interval *interval, void *data), void *data);

void mappings_fork_prepare(void);
void mappings_fork_parent(void);
void mappings_fork_child(void);

#endif
