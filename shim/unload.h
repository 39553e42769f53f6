/* SPDX-License-Identifier: MIT */
/*
 * After modules went: looking through memory for references to what they left,
 * freeing what is leaked, keeping what is not.
 */
#ifndef RELIB_UNLOAD_H
#define RELIB_UNLOAD_H

#include <stdbool.h>

#include "shim/world.h"

/*
 * Looks through memory for all generations that are gone, and for what earlier
 * ones left and was kept.  caller: the state of the interposer that is still
 * running.  May allocate nothing of the host's; takes relib's locks; waits
 * while another thread looks.
 */
void unload_look(const struct world_caller *caller);

/*
 * The lock of unloads: what is foretold of one, the look for threads, and the
 * look through memory are one thread's at a time.  Not held while a module or
 * the loader is called.  _try: false when it cannot be had (the caller has it,
 * or another has it for too long); _wait: waits as long as it takes.
 */
bool unload_lock_try(void);
void unload_lock_wait(void);
void unload_unlock(void);

/*
 * The module heap is full: hands out again all that is under quarantine.
 * False when there was nothing, or another thread looks.
 */
bool unload_relieve(void);

/* At the end of the process: brings the kept totals up to date, stops nobody. */
void unload_finish(void);

void unload_fork_prepare(void);
void unload_fork_parent(void);
void unload_fork_child(void);

#endif
