/* SPDX-License-Identifier: MIT */
/*
 * The threads that an unload must wait for: those that a module that goes
 * created, and any other with a frame in its code.
 */
#ifndef RELIB_BLOCKERS_H
#define RELIB_BLOCKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/world.h"

#define BLOCKERS_MOST 48u /* told one by one */
#define BLOCKER_FRAMES 24u

struct blocker {
	pid_t tid;	 /* 0: created, and not seen by the kernel yet */
	uint32_t record; /* in SESSION_THREADS; 0: none yet */
	uint16_t owner;	 /* generation slot that created it, and that goes; 0: another's */
	uint16_t inside; /* generation slot that its innermost frame in what goes is of */
	bool calling;	 /* the thread that calls dlclose */
	bool cut;	 /* its stack could not be followed to the end */
	uint32_t frame_count, module_frame; /* module_frame: of inside; frame_count: none */
	uintptr_t frames[BLOCKER_FRAMES];   /* the first is where it stands */
};

struct blockers {
	/* in */
	uint32_t number;  /* struct generation's goes */
	bool deferred;	  /* made up for, by whatever thread has left or is over */
	bool watch;	  /* learn when threads of others leave */
	bool drop_locals; /* if there are none: no other thread's thread-local destructor may run */
	/* out */
	size_t count;	/* may be more than stand in the list */
	size_t foreign; /* of them: owned by nobody that goes, or the calling thread */
	uint64_t stopped_ns;
	struct blocker list[BLOCKERS_MOST];
};

/*
 * Stops the world, if there are other threads, and fills it in.  Where it
 * cannot be stopped, only the threads that the modules created are known.
 * One at a time: under the lock of unloads.
 */
void blockers_find(struct blockers *blockers, const struct world_caller *caller);

#endif
