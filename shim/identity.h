/* SPDX-License-Identifier: MIT */
/*
 * Which file a descriptor or a path leads to, as one number: whether it is
 * still the same.  System calls only; errno is kept.
 */
#ifndef RELIB_IDENTITY_H
#define RELIB_IDENTITY_H

#include <stdint.h>
#include <sys/stat.h>

#include "shim/sys.h"

static inline uint64_t identity_of(const struct stat *file)
{
	uint64_t identity = file->st_ino ^ (uint64_t)file->st_dev * UINT64_C(0x9e3779b97f4a7c15);

	return identity ? identity : 1;
}

/* 0: there is none. */
static inline uint64_t identity_of_descriptor(int fd)
{
	struct stat file;

	return sys_call(SYS_fstat, fd, &file, 0) ? 0 : identity_of(&file);
}

/* The path itself, not what a symbolic link there leads to.  0: there is none. */
static inline uint64_t identity_of_path(int directory, const char *path)
{
	struct stat file;

	return sys_call6(SYS_newfstatat, directory, (long)path, (long)&file, AT_SYMLINK_NOFOLLOW, 0,
		       0)
		       ? 0
		       : identity_of(&file);
}

#endif
