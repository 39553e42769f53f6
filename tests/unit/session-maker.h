/* SPDX-License-Identifier: MIT */
/* Writes session files as the preload library does, for the tests of those who read them. */
#ifndef TESTS_SESSION_MAKER_H
#define TESTS_SESSION_MAKER_H

#include "shim/session-format.h"

#include <stddef.h>

struct session_maker {
	uint8_t *data;
	size_t size;
};

void maker_start(struct session_maker *maker);
void maker_end(struct session_maker *maker); /* frees the bytes */
struct session_header *maker_header(struct session_maker *maker);

uint32_t maker_string(struct session_maker *maker, const char *text);

/* Adds a record and returns its index; records move when more are added. */
uint32_t maker_add(struct session_maker *maker, enum session_table table, const void *record);
void *maker_record(struct session_maker *maker, enum session_table table, uint64_t index);

/* An object of a file; the build-id is left empty. */
uint32_t maker_object(struct session_maker *maker, const char *path, unsigned int kind);

/* A place of module @object with @count frames. */
uint32_t maker_place(
	struct session_maker *maker, uint32_t object, const uint64_t *frames, int count);

/* Adds @count frames and returns the index of the first. */
uint32_t maker_stack(struct session_maker *maker, const uint64_t *frames, int count);

/*
 * Adds to the sample what unloading is about: generation 3 is still loaded, its
 * unload deferred, with a stay of each kind, a thread of its own and one of the
 * host; generations 1 and 2 have dangling pointers of each kind; there are late
 * calls and a timeout.
 */
void maker_sample_unloading(struct session_maker *maker);

/*
 * Adds to the sample what modules acquire besides memory: of each of the three
 * generations descriptors, directories, mappings, timers and the environment,
 * of the last ones children, a stream, a mutex and a name.
 */
void maker_sample_resources(struct session_maker *maker);

/* Adds so many generations that left one thing of each kind. */
void maker_sample_many(struct session_maker *maker, uint32_t generations);

/*
 * A session with something of everything: a host, a plugin of three
 * generations that leaked at one place, kept at another, and a dependency.
 * @plugin is the path that the plugin is said to have; its code frames are at
 * @code and @code2.
 */
void maker_sample(struct session_maker *maker, const char *plugin, uint64_t code, uint64_t code2);

/* Writes the bytes to @path; 0 or -1. */
int maker_write(const struct session_maker *maker, const char *path);

#endif
