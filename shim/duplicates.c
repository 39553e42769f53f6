/* SPDX-License-Identifier: MIT */
/* Descriptors made of others: dup, dup2, dup3 and fcntl, which takes locks of files too. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

#include "shim/locks.h"
#include "shim/opening.h"

int __dup2(int from, int to);
int __fcntl(int fd, int command, ...);

RELIB_EXPORT int dup(int from)
{
	OPENING(dup, from);
}

/*
 * The number is taken over while it is open, and nobody else can get it
 * meanwhile: its entry is changed behind the call, and only when that was done.
 */
#define DUPLICATING(member, ...)                                                                   \
	do {                                                                                       \
		struct descriptor_place before = {0};                                              \
		struct origin origin;                                                              \
		int result;                                                                        \
		if (!next_ready() || !next.member)                                                 \
			return function_missing();                                                 \
		origin = CALL_ORIGIN();                                                            \
		if (origin.place)                                                                  \
			before = descriptor_place_held(to);                                        \
		result = next.member(__VA_ARGS__);                                                 \
		if (result >= 0 && from != to && (origin.place || descriptors_are_held()))         \
			descriptor_replaced(to, origin, &before);                                  \
		return result;                                                                     \
	} while (0)

RELIB_EXPORT int dup2(int from, int to)
{
	DUPLICATING(dup2, from, to);
}

RELIB_EXPORT int __dup2(int from, int to)
{
	DUPLICATING(dup2_old_name, from, to);
}

RELIB_EXPORT int dup3(int from, int to, int flags)
{
	DUPLICATING(dup3, from, to, flags);
}

bool control_is_noted(int command)
{
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return true;
	default:
		return false;
	}
}

void control_done(int fd, int command, const struct flock *lock, int result, struct origin origin)
{
	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		descriptor_opened(result, origin);
	else if (lock->l_type != F_UNLCK)
		file_lock_noted(fd, origin);
}

#define CONTROL(symbol, member)                                                                    \
	RELIB_EXPORT int symbol(int fd, int command, ...)                                          \
	{                                                                                          \
		void *argument;                                                                    \
		va_list rest;                                                                      \
		int result;                                                                        \
		if (!next_ready() || !next.member)                                                 \
			return function_missing();                                                 \
		va_start(rest, command);                                                           \
		argument = va_arg(rest, void *);                                                   \
		va_end(rest);                                                                      \
		result = next.member(fd, command, argument);                                       \
		if (result >= 0 && control_is_noted(command))                                      \
			control_done(fd, command, argument, result, CALL_ORIGIN());                \
		return result;                                                                     \
	}

CONTROL(fcntl, fcntl)
CONTROL(fcntl64, fcntl64)
CONTROL(__fcntl, fcntl_old_name)
