/* SPDX-License-Identifier: MIT */
/*
 * What the shim sees of the dynamic loader: calls of dlopen, before and not
 * after, since dlopen must see its true caller (RUNPATH, $ORIGIN, namespace);
 * and what the loader allocates and frees, which tells when objects come and
 * go, from inside its lock.
 */
#ifndef RELIB_LOADER_H
#define RELIB_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Blocks the size of a link map or larger may be one. */
#define LOADER_LINK_MAP_LEAST 700u

/* False where the program's own malloc comes before ours. */
extern bool loader_interposed;

extern void *next_dlopen, *next_dlmopen;

/*
 * Called by the entry stubs of dlopen and dlmopen before they jump to the real
 * one.  slot is where the return address stands.  Returns the flags to go on
 * with.
 */
int loader_before_open(const char *file, int flags, const uintptr_t *slot);

struct world_caller;

/* The body of dlclose: caller is the state of whoever called it. */
int dlclose_from(void *handle, const struct world_caller *caller);

/* The loader allocated nmemb * size bytes, zeroed, from (pc, sp, bp). */
void loader_allocated(size_t nmemb, size_t size);

/* The calling thread is loading: enters new objects, if there are any. */
void loader_look(uintptr_t pc, uintptr_t sp, uintptr_t bp);

/* True when the stack from here on passes through the thread's last dlopen. */
bool loader_is_in_open(uintptr_t pc, uintptr_t sp, uintptr_t bp);

/* The real path behind a name of the loader's list ("": the program). */
void loader_real_path(const char *name, char *path, size_t size);

#endif
