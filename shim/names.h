/* SPDX-License-Identifier: MIT */
/*
 * What modules made that has a name or an id outside of the process, and
 * outlives it: temporary files and directories, POSIX shared memory,
 * semaphores and queues, System V objects.  The creator acquires it; what was
 * there before is nobody's.
 *
 * In the ledger, data[0] is the identity (identity.h) where there is one,
 * data[1] the process that made it, and data[2] the generation's slot.
 */
#ifndef RELIB_NAMES_H
#define RELIB_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/ledger.h"

/* origin's: a name of that kind was made. */
void name_made(struct origin origin, enum session_resource kind, uint64_t key, uint64_t identity,
	const char *text);

/*
 * What a kind of names can tell of one that a generation has left: is_there,
 * whether it still is, and the same; remove, which returns NULL or why it could
 * not be.  remove NULL: it is only told.
 */
struct name_kind {
	enum session_resource kind;
	bool number; /* the key is its number */
	bool (*is_there)(const struct holding *holding);
	const char *(*remove)(const struct holding *holding);
};
void name_kind_settle(const struct name_kind *kind, uint32_t generation);

/* The parts of names_settle. */
void temporaries_settle(uint32_t generation);
void posix_names_settle(uint32_t generation);
void semaphores_settle(uint32_t generation);
void ipc_settle(uint32_t generation);

/* The text of a failed removal. */
const char *name_error(long error);

/*
 * Makes what is not there, or opens what is: result becomes that of
 * make(exclusive flags), or of use() when it exists already, as often as it
 * comes and goes in between.  made: whether this call made it.
 */
#define NAME_MAKE(result, failed, made, make, use)                                                 \
	do {                                                                                       \
		int before = errno, tries = 0;                                                     \
                                                                                                   \
		do {                                                                               \
			(result) = (make);                                                         \
			(made) = (result) != (failed);                                             \
			if ((made) || errno != EEXIST)                                             \
				break;                                                             \
			(result) = (use);                                                          \
		} while ((result) == (failed) && errno == ENOENT && tries++ < NAME_TRIES);         \
		if ((result) != (failed))                                                          \
			errno = before;                                                            \
	} while (0)
#define NAME_TRIES 100

#endif
