/* SPDX-License-Identifier: MIT */
/*
 * SIGSEGV, once there are guarded addresses: the kernel has a handler of ours,
 * and what the host set is kept here.  A fault at guarded addresses is reported
 * (late.h); then it, and any other SIGSEGV, goes where the host wants it, with
 * the stack, mask, frame and flags that the kernel would have used.
 */
#ifndef RELIB_SEGV_H
#define RELIB_SEGV_H

#include <stdbool.h>
#include <stdint.h>

/* Takes the signal, once.  Keeps errno. */
void segv_install(void);

/*
 * Around a call of the C library that reads or sets dispositions: shows it the
 * host's, and takes over what it made of it.  False: nothing to do, ours is not
 * in the kernel (or just not).  blocks: no signal comes in between; not for
 * calls that change the mask.
 */
bool segv_expose(bool blocks, uint64_t *mask);
void segv_cover(bool blocks, const uint64_t *mask);

void segv_fork_child(void);

#endif
