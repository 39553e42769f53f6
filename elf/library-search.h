/* SPDX-License-Identifier: MIT */
/*
 * Where the loader finds a library that a file needs: DT_RPATH of the file and
 * of those that brought it in, LD_LIBRARY_PATH, DT_RUNPATH, the loader's cache
 * and the default folders.
 */
#ifndef RELIB_LIBRARY_SEARCH_H
#define RELIB_LIBRARY_SEARCH_H

#include "elf/dynamic.h"
#include "elf/loader-cache.h"

struct library_search {
	struct loader_cache *cache; /* NULL: none */
	const char *const *folders; /* the user's, searched as LD_LIBRARY_PATH is, before it */
	size_t folder_count;
	const char *library_path; /* LD_LIBRARY_PATH or NULL */
};

/* Who needs a library, and who brought that one in, up to the program. */
struct library_user {
	const struct dynamic *dynamic;
	const struct library_user *loader; /* NULL: none */
};

/*
 * The path of the first library @name for @user that is of this machine, to be
 * freed; NULL if there is none.
 */
char *library_find(
	const struct library_search *search, const struct library_user *user, const char *name);

#endif
