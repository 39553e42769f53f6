/* SPDX-License-Identifier: MIT */
/*
 * The session file, as the shim writes it: mapped memory with the layout of
 * session-format.h.  Where no file can be had (no folder, a full disk, a limit
 * on file sizes), the same records are kept in plain memory: the work goes on
 * and nobody but this process can read them.
 *
 * Functions that add take the session lock; reading is free.  Nothing here
 * blocks on anything but the file system, and only when a table grows.
 */
#ifndef RELIB_SESSION_H
#define RELIB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/session-format.h"

/* NULL until session_open.  The mapping never moves, in a forked child neither. */
extern struct session_header *session;

/* Opens the session, once; true when there is one.  Not in a signal handler. */
bool session_open(void);

/* Marks the end of the process.  Recording may go on after it. */
void session_close(void);

/* A published or reserved record.  index must be one that was returned. */
void *session_record(enum session_table table, uint32_t index);

/*
 * Adds a copy of a record (for frames: count of them in one piece) and returns
 * its index; 0 when the table is full or there is no memory.
 */
uint32_t session_add(enum session_table table, const void *record);
uint32_t session_add_frames(const uint64_t *frames, unsigned int count);
/* Adds a string of length bytes; cut at 4,000.  The same text twice is two strings. */
uint32_t session_string(const char *text, size_t length);

/* Counts an event, one record per kind, object, place, frame and text. */
void session_note(enum session_note_kind kind, uint32_t object, uint32_t place, uint64_t frame,
	const char *text);

/* The same for notes with a generation, thread or stack, which like has; its text, count and
 * first_ns are filled in.  Equal but for the stack: counted as one, with the first's stack. */
void session_note_add(const struct session_note *like, const char *text);

/* The folder for kept ELF files, "" where there is none. */
const char *session_objects_folder(void);

/* Keeps no more addresses than so many bytes beyond what is in use. */
void session_limit(size_t most);

uint64_t session_clock(void); /* CLOCK_REALTIME, ns */

/* Around fork.  The child's session becomes its own: its file is made at its next event. */
void session_fork_prepare(void);
void session_fork_parent(void);
void session_fork_child(void);

/* True in a forked child until session_settle. */
bool session_is_forked(void);

/* In a forked child: gives the session a file of its own, if it has none yet. */
void session_settle(void);

#endif
