/* SPDX-License-Identifier: MIT */
#include "elf/loader-cache.h"

#include "elf/memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CACHE_SIZE_MAX (256u << 20)
#define OLD_MAGIC "ld.so-1.7.0"
#define NEW_MAGIC "glibc-ld.so.cache1.1"

#if defined(__x86_64__)
#define LIBRARY_HERE 0x0303 /* ELF of libc 6, x86-64 */
#elif defined(__aarch64__)
#define LIBRARY_HERE 0x0a03
#else
#error "unknown machine"
#endif

/* glibc's own layout (sysdeps/generic/dl-cache.h). */
struct cache_header {
	char magic[20];
	uint32_t count;
	uint32_t string_size;
	uint8_t flags;
	uint8_t padding[3];
	uint32_t extensions;
	uint32_t unused[3];
};

struct cache_entry {
	int32_t flags;
	uint32_t name, path; /* offsets from the header */
	uint32_t os_version;
	uint64_t capabilities;
};

struct loader_cache {
	char *bytes;  /* of the file, and a null byte */
	size_t start; /* of the header */
	size_t size;  /* from there */
	uint32_t count;
};

/* Older systems put the new format behind the old one, aligned to 8. */
static bool header_find(struct loader_cache *cache, size_t size)
{
	struct cache_header header;
	uint32_t old;

	if (size >= 16 && memcmp(cache->bytes, OLD_MAGIC, strlen(OLD_MAGIC)) == 0) {
		memcpy(&old, cache->bytes + 12, sizeof(old));
		cache->start = (16 + (uint64_t)old * 12 + 7) & ~UINT64_C(7);
	}
	if (cache->start > size || size - cache->start < sizeof(header))
		return false;
	memcpy(&header, cache->bytes + cache->start, sizeof(header));
	cache->size = size - cache->start;
	cache->count = header.count;
	return memcmp(header.magic, NEW_MAGIC, sizeof(header.magic)) == 0 &&
	       header.count <= (cache->size - sizeof(header)) / sizeof(struct cache_entry);
}

static bool cache_read(struct loader_cache *cache, int file)
{
	struct stat stat;
	size_t done = 0;
	ssize_t n;

	if (fstat(file, &stat) < 0 || !S_ISREG(stat.st_mode) || stat.st_size > CACHE_SIZE_MAX)
		return false;
	cache->bytes = memory_zeroed(stat.st_size + 1, 1);
	while (done < (size_t)stat.st_size) {
		n = read(file, cache->bytes + done, stat.st_size - done);
		if (n <= 0)
			break;
		done += n;
	}
	return header_find(cache, done);
}

struct loader_cache *loader_cache_open(const char *path)
{
	struct loader_cache *cache;
	bool good;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (file < 0)
		return NULL;
	cache = memory_zeroed(1, sizeof(*cache));
	good = cache_read(cache, file);
	close(file);
	if (good)
		return cache;
	loader_cache_close(cache);
	return NULL;
}

void loader_cache_close(struct loader_cache *cache)
{
	if (!cache)
		return;
	free(cache->bytes);
	free(cache);
}

const char *loader_cache_find(const struct loader_cache *cache, const char *name, size_t nth)
{
	const char *start = cache->bytes + cache->start;
	struct cache_entry entry;
	uint32_t i;

	for (i = 0; i < cache->count; i++) {
		memcpy(&entry, start + sizeof(struct cache_header) + i * sizeof(entry),
			sizeof(entry));
		if (entry.flags != LIBRARY_HERE || entry.name >= cache->size ||
			entry.path >= cache->size || strcmp(start + entry.name, name) != 0)
			continue;
		if (nth-- == 0)
			return start + entry.path;
	}
	return NULL;
}
