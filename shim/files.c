/* SPDX-License-Identifier: MIT */
/* The functions that open files and terminals. */
#undef _FORTIFY_SOURCE	 /* has inline functions with the names that are defined here */
#undef _FILE_OFFSET_BITS /* makes two of these names one */
#include <fcntl.h>
#include <pty.h>
#include <stdarg.h>
#include <stdlib.h>

#include "shim/opening.h"
#include "shim/thread.h"

int __open(const char *path, int flags, ...);
int __open64(const char *path, int flags, ...);
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);
int __openat64_2(int folder, const char *path, int flags);

/* There is a mode to be read only where a file can be made. */
#define MODE_READ(mode, flags)                                                                     \
	unsigned int mode = 0;                                                                     \
	if (__OPEN_NEEDS_MODE(flags)) {                                                            \
		va_list rest;                                                                      \
		va_start(rest, flags);                                                             \
		mode = va_arg(rest, unsigned int);                                                 \
		va_end(rest);                                                                      \
	}

#define OPEN(symbol, member)                                                                       \
	RELIB_EXPORT int symbol(const char *path, int flags, ...)                                  \
	{                                                                                          \
		MODE_READ(mode, flags)                                                             \
		OPENING(member, path, flags, mode);                                                \
	}

OPEN(open, open)
OPEN(open64, open64)
OPEN(__open, open_old_name)
OPEN(__open64, open64_old_name)

#define OPENAT(symbol, member)                                                                     \
	RELIB_EXPORT int symbol(int folder, const char *path, int flags, ...)                      \
	{                                                                                          \
		MODE_READ(mode, flags)                                                             \
		OPENING(member, folder, path, flags, mode);                                        \
	}

OPENAT(openat, openat)
OPENAT(openat64, openat64)

RELIB_EXPORT int __open_2(const char *path, int flags)
{
	OPENING(open_2, path, flags);
}

RELIB_EXPORT int __open64_2(const char *path, int flags)
{
	OPENING(open64_2, path, flags);
}

RELIB_EXPORT int __openat_2(int folder, const char *path, int flags)
{
	OPENING(openat_2, folder, path, flags);
}

RELIB_EXPORT int __openat64_2(int folder, const char *path, int flags)
{
	OPENING(openat64_2, folder, path, flags);
}

RELIB_EXPORT int creat(const char *path, mode_t mode)
{
	OPENING(creat, path, mode);
}

RELIB_EXPORT int creat64(const char *path, mode_t mode)
{
	OPENING(creat64, path, mode);
}

RELIB_EXPORT int open_by_handle_at(int mount, struct file_handle *handle, int flags)
{
	OPENING(open_by_handle_at, mount, handle, flags);
}

RELIB_EXPORT int posix_openpt(int flags)
{
	OPENING(posix_openpt, flags);
}

RELIB_EXPORT int getpt(void)
{
	OPENING(getpt);
}

/* In C libraries where it stands in a library of its own it calls the functions above. */
RELIB_EXPORT int openpty(int *leader, int *terminal, char *name, const struct termios *attributes,
	const struct winsize *size)
{
	struct origin origin;
	int result;

	if (!next_ready() || !next.openpty)
		return function_missing();
	thread_self.inside++;
	result = next.openpty(leader, terminal, name, attributes, size);
	thread_self.inside--;
	if (!result) {
		origin = CALL_ORIGIN();
		descriptor_opened(*leader, origin);
		descriptor_opened(*terminal, origin);
	}
	return result;
}
