/* SPDX-License-Identifier: MIT */
/*
 * A session file as read: a private copy, every number in it checked, so that
 * whoever uses it can follow any index.  Files of running processes are read
 * at any moment; what they say is true of that moment within one allocation.
 */
#ifndef RELIB_SESSION_FILE_H
#define RELIB_SESSION_FILE_H

#include "elf/error.h"
#include "shim/session-format.h"

#include <stdbool.h>
#include <stddef.h>

struct tally {
	uint64_t blocks, bytes;
};

/*
 * The totals of a place, the deltas of all threads added.  Dropped is what was
 * kept at an unload and freed by relib later, when nothing referred to it any
 * more: a part of reclaimed that is in none of the others.
 */
struct place_totals {
	struct tally allocated, freed, live, leaked, reclaimed, kept, runtime, dropped;
};

struct session {
	char *path;    /* of the file */
	char *objects; /* folder of the kept ELF files */
	uint8_t *data;
	size_t size;
	const struct session_header *header; /* in data */
	uint64_t count[SESSION_TABLES];	     /* records, record 0 included; strings: bytes */
	struct session_counter *delta;	     /* of place i, summed over all threads */
};

enum session_life { SESSION_LIFE_RUNNING, SESSION_LIFE_EXITED, SESSION_LIFE_KILLED };

/* Reads the file at @path.  NULL and @error when it is missing, damaged or another machine's. */
struct session *session_open(const char *path, struct error *error);

/* The same for bytes that were read already; takes over @data, which malloc gave. */
struct session *session_from_bytes(
	const char *path, uint8_t *data, size_t size, struct error *error);
void session_close(struct session *session); /* NULL is fine */

/* Reads and checks the header alone. */
int session_header_read(const char *path, struct session_header *header, struct error *error);

/* Running only if the very process that wrote it lives. */
enum session_life session_life(const struct session_header *header);

/* @index must be below count[table] and not 0, which all indices in a checked session are. */
const char *session_string(const struct session *session, uint32_t index);	 /* 0: "" */
const char *session_object_path(const struct session *session, uint32_t object); /* 0: "" */
const struct session_object *session_object(const struct session *session, uint32_t index);
const struct session_generation *session_generation(const struct session *session, uint32_t index);
const struct session_place *session_place(const struct session *session, uint32_t index);
const struct session_residue *session_residue(const struct session *session, uint32_t index);
const struct session_note *session_note(const struct session *session, uint32_t index);
const struct session_thread *session_thread(const struct session *session, uint32_t index);
const struct session_stay *session_stay(const struct session *session, uint32_t index);
const struct session_dangling *session_dangling(const struct session *session, uint32_t index);
const struct session_balance *session_balance(const struct session *session, uint32_t index);
const struct session_leftover *session_leftover(const struct session *session, uint32_t index);
uint64_t session_frame(const struct session *session, uint32_t index);
void session_place_totals(
	const struct session *session, uint32_t index, struct place_totals *totals);

/* Record @index of @table; for the checks. */
const void *session_record(const struct session *session, enum session_table table, uint64_t index);

void tally_add(struct tally *sum, struct tally more);
struct tally tally_of(uint64_t blocks, uint64_t bytes);
/* @a less @b, but not below nothing. */
struct tally tally_less(struct tally a, struct tally b);

#endif
