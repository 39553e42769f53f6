/* SPDX-License-Identifier: MIT */
/*
 * dlclose: whether a module can go, what runs before it goes, and what is said
 * when it does not.
 */
#ifndef RELIB_UNLOADING_H
#define RELIB_UNLOADING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Called by a thread that a module created, at its very end: nothing but the C
 * library's code runs in it after this.  If unloads wait for threads, and this
 * was the last, they are done here.  Keeps errno.
 */
void unloading_thread_over(void);

#endif
