/* SPDX-License-Identifier: MIT */
/* Interposers of functions that open descriptors: all have the same body. */
#ifndef RELIB_OPENING_H
#define RELIB_OPENING_H

#include <errno.h>

#include "shim/descriptors.h"
#include "shim/ledger.h"
#include "shim/next.h"

/* Nobody behind us has the function, or dlsym is just looking for it. */
static inline int function_missing(void)
{
	errno = ENOSYS;
	return -1;
}

/* What a raw system call gave, as the C library's functions tell it. */
static inline long system_result(long result)
{
	if (result < 0 && result > -4096) {
		errno = (int)-result;
		return -1;
	}
	return result;
}

/* The body: the call is made, and what it returns is a descriptor or negative. */
#define OPENING(member, ...)                                                                       \
	do {                                                                                       \
		int opened;                                                                        \
		if (!next_ready() || !next.member)                                                 \
			return function_missing();                                                 \
		opened = next.member(__VA_ARGS__);                                                 \
		if (opened >= 0)                                                                   \
			descriptor_opened(opened, CALL_ORIGIN());                                  \
		return opened;                                                                     \
	} while (0)

/* The same for a call that fills in two. */
#define OPENING_PAIR(member, pair, ...)                                                            \
	do {                                                                                       \
		struct origin origin;                                                              \
		int result;                                                                        \
		if (!next_ready() || !next.member)                                                 \
			return function_missing();                                                 \
		result = next.member(__VA_ARGS__);                                                 \
		if (!result) {                                                                     \
			origin = CALL_ORIGIN();                                                    \
			descriptor_opened((pair)[0], origin);                                      \
			descriptor_opened((pair)[1], origin);                                      \
		}                                                                                  \
		return result;                                                                     \
	} while (0)

/* Commands of fcntl that make a descriptor or take a lock, and what is to be done then. */
struct flock;
bool control_is_noted(int command);
void control_done(int fd, int command, const struct flock *lock, int result, struct origin origin);

/* What a message brought (SCM_RIGHTS); message: a struct msghdr after recvmsg. */
struct msghdr;
void message_received(const struct msghdr *message, struct origin origin);

#endif
