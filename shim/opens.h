/* SPDX-License-Identifier: MIT */
/*
 * Who opened a module: the stacks of the dlopen calls.  Nothing of ours runs
 * after a dlopen, so a call is told to its object before the loader sees it: to
 * the one that is loaded under that name or file, else to the next one that
 * this thread's dlopen brings.
 */
#ifndef RELIB_OPENS_H
#define RELIB_OPENS_H

#include <stdint.h>

#include "shim/callstacks.h"
#include "shim/objects.h"

#define OPENS_FRAMES 8u /* of each stack */

/* One stack. */
struct open_site {
	struct open_site *next;
	uint32_t stack; /* in SESSION_FRAMES once the object is tracked, else 0 */
	uint32_t frame_count;
	uint32_t times;
	struct origin origin; /* place 0: the host's; until the object is there */
	uintptr_t pcs[OPENS_FRAMES];
};

/*
 * The calling thread is about to call dlopen.  Returns the loaded object of
 * that name, and its generation's record; or NULL.
 */
struct object *opens_begin(const char *file, const struct caller *caller, uint32_t *record);
/* Once more for the same dlopen. */
struct object *opens_search(const char *file, uint32_t *record);

/* Notes the names of a tracked object, and which file it is.  While it is mapped. */
void opens_identify(struct object *object);

/* The object that the thread's dlopen was called for is entered.  Under the table's lock. */
void opens_attach(struct object *object);

/* The object is gone. */
void opens_forget(struct object *object);

/*
 * As opens_begin and opens_search announce, the calling thread is about to open
 * something: not any more, its dlopen has returned or is to wait; and again.
 */
void opens_over(void);
void opens_again(void);

/* Another thread may be about to open the object, and the loader need not have counted it. */
bool opens_are_coming(const struct object *object);

void opens_fork_child(void);

#endif
