/* SPDX-License-Identifier: MIT */
/*
 * Descriptors and who opened them: a table by number, without locks.  Only a
 * module's are entered; the host's calls cost one load as long as there are
 * none.  An entry outlives the generation, until somebody closes the
 * descriptor: so one that was handed over is right.
 *
 * Functions here are async-signal-safe and keep errno.
 */
#ifndef RELIB_DESCRIPTORS_H
#define RELIB_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/heap.h"

/* A new descriptor, whoever's number it was before.  origin with place 0: the host's. */
void descriptor_opened(int fd, struct origin origin);

/*
 * A descriptor that belongs to a stream or directory stream, which was counted
 * as such (balance: of that).  An entry of its own before is given back.
 */
void descriptor_in_stream(int fd, uint32_t balance);

/* Before it is closed: since afterwards the number can be another's at once. */
void descriptor_closing(int fd);

/* Of a generation that is unloaded (its record): records what it left, closes it if told to. */
void descriptors_settle(uint32_t generation);

/* What it is, from /proc and the kernel, into room: "socket 127.0.0.1:80".  False: not open. */
bool descriptor_text(int fd, char *room, unsigned long size);

#endif
