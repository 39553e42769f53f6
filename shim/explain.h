/* SPDX-License-Identifier: MIT */
/*
 * Names for addresses, for messages that cannot wait for the command line: a
 * refused dlclose, a late call.  A program of ours (relib-names, in the
 * library's libexec folder) is run for it, invisible to the host: no SIGCHLD,
 * nothing that wait() could reap.  Where it cannot be run, the text is
 * "plugin.so+0x1234".
 */
#ifndef RELIB_EXPLAIN_H
#define RELIB_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Writes for each frame of the session a line "function (file.c:12) in
 * plugin.so" to text, each ended by '\n', all by NUL; cut to size.  first_exact:
 * the first frame is the instruction itself and no return address.  Makes raw
 * system calls only and allocates nothing: async-signal-safe.  Waits 5 s at most.
 */
void explain_frames(
	const uint64_t *frames, unsigned int count, bool first_exact, char *text, size_t size);

/* The kinds of addresses. */
#define EXPLAIN_EXACT 'E'    /* an instruction */
#define EXPLAIN_RETURN 'R'   /* a return address: the call before it is meant */
#define EXPLAIN_FUNCTION 'F' /* where a function begins */
#define EXPLAIN_DATA 'D'     /* a variable */

/* The same, with a kind for each; at most EXPLAIN_MOST, the others have no line. */
#define EXPLAIN_MOST 64u
void explain_addresses(
	const uint64_t *frames, const char *kinds, unsigned int count, char *text, size_t size);

#endif
