/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and who opened them: a table by number, without locks.  Only a
 * module's are entered; the host's calls cost one load as long as there are
 * none.  An entry outlives the generation, until somebody closes the
 * descriptor: so one that was handed over is right.
 *
 * Functions here are async-signal-safe and keep errno.  In a vfork child or a
 * thread whose descriptors are not this process's they do nothing.
 */
#ifndef RELIB_DESCRIPTORS_H
#define RELIB_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/heap.h"

/* How many entries there are: none, and what the host does is nobody's business. */
extern uint32_t descriptors_held;

static inline bool descriptors_are_held(void)
{
	return __builtin_expect(__atomic_load_n(&descriptors_held, __ATOMIC_RELAXED), 0);
}

/* A new descriptor, whoever's number it was before.  origin with place 0: the host's. */
void descriptor_enter(int fd, struct origin origin);
static inline void descriptor_opened(int fd, struct origin origin)
{
	if (origin.place || descriptors_are_held())
		descriptor_enter(fd, origin);
}

/*
 * The same for a number that is taken over from what was open there (dup2).
 * before: what descriptor_place_held said of the number before that.  When it
 * was the host's it is never closed by us, and given back as soon as what stood
 * there before stands there again.
 */
struct descriptor_place {
	uint64_t device, inode;
	bool was_open;
};
struct descriptor_place descriptor_place_held(int fd);
void descriptor_replaced(int fd, struct origin origin, const struct descriptor_place *before);

/*
 * A descriptor that belongs to a stream or directory stream, which was counted
 * as such (balance: of that).  An entry of its own before is given back.
 */
void descriptor_in_stream(int fd, uint32_t balance);

/* Whether a module opened what the number stands for, as far as is known. */
bool descriptor_is_owned(int fd);

/* Before it is closed: since afterwards the number can be another's at once. */
void descriptor_leave(int fd);
static inline void descriptor_closing(int fd)
{
	if (descriptors_are_held())
		descriptor_leave(fd);
}

/* Around a close of all from first to last, which can fail and then closed none. */
void descriptors_closing(unsigned int first, unsigned int last);
void descriptors_closed(unsigned int first, unsigned int last, bool done);

/* Of a generation that is unloaded (its record): records what it left, closes it if told to. */
void descriptors_settle(uint32_t generation);

/*
 * The calling thread has a table of its own from now on, if other threads share
 * the process's: what it opens and closes is nobody's.
 */
void descriptors_unshared(void);

/*
 * What it is, from /proc and the kernel, into room: a path, "pipe:[7]",
 * "eventfd", "tcp 127.0.0.1:80 -> 127.0.0.1:4000".  False: not open.
 */
bool descriptor_text(int fd, char *room, unsigned long size);

#endif
