/* SPDX-License-Identifier: MIT */
/* /etc/ld.so.cache, in which the loader looks for libraries by name. */
#ifndef RELIB_LOADER_CACHE_H
#define RELIB_LOADER_CACHE_H

#include <stddef.h>

struct loader_cache;

/* NULL when the file cannot be read or is damaged: then only folders are searched. */
struct loader_cache *loader_cache_open(const char *path);
void loader_cache_close(struct loader_cache *cache); /* NULL is fine */

/*
 * The path of the @nth 64-bit library of this machine that is called @name,
 * best first; NULL when there are no more.  It lives as long as the cache.
 */
const char *loader_cache_find(const struct loader_cache *cache, const char *name, size_t nth);

#endif
