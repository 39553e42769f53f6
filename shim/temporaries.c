/* SPDX-License-Identifier: MIT */
/*
 * Temporary files and directories.  The last part of the path is the key: it
 * is random, and the same however the program spells the path when it removes
 * the file; which is then asked which file it is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/descriptors.h"
#include "shim/identity.h"
#include "shim/names.h"
#include "shim/next.h"
#include "shim/opening.h"
#include "shim/settle.h"
#include "shim/text.h"

#define PATH_MOST 4096u

/* The last part, without slashes at the end, into room; 0: it is too long. */
static uint64_t key_of(const char *path)
{
	size_t end = strlen(path), start;
	char room[256];

	while (end && path[end - 1] == '/')
		end--;
	for (start = end; start && path[start - 1] != '/'; start--)
		;
	if (end - start >= sizeof(room))
		return 0;
	memcpy(room, path + start, end - start);
	room[end - start] = 0;
	return ledger_hash(room);
}

/* Whatever becomes of the working directory. */
static void temporary_made(struct origin origin, const char *path)
{
	uint64_t identity = identity_of_path(AT_FDCWD, path);
	char room[PATH_MOST];
	struct text text = text_in(room, sizeof(room));
	long length;

	if (*path != '/') {
		length = sys_call(SYS_getcwd, room, sizeof(room), 0);
		if (length <= 0 || *room != '/')
			return;
		text.at += length - 1;
		text_add(&text, "/");
	}
	text_add(&text, path);
	if (identity && text.at < text.last)
		name_made(origin, SESSION_TEMPORARY, key_of(path), identity, room);
}

#define MAKER(name, parameters, arguments)                                                         \
	int name parameters;                                                                       \
	RELIB_EXPORT int name parameters                                                           \
	{                                                                                          \
		struct origin origin;                                                              \
		int fd;                                                                            \
                                                                                                   \
		if (!next_ready() || !next.name)                                                   \
			return function_missing();                                                 \
		fd = next.name arguments;                                                          \
		if (fd < 0)                                                                        \
			return fd;                                                                 \
		origin = CALL_ORIGIN();                                                            \
		descriptor_opened(fd, origin);                                                     \
		if (origin.place)                                                                  \
			temporary_made(origin, path);                                              \
		return fd;                                                                         \
	}

MAKER(mkstemp, (char *path), (path))
MAKER(mkstemp64, (char *path), (path))
MAKER(mkostemp, (char *path, int flags), (path, flags))
MAKER(mkostemp64, (char *path, int flags), (path, flags))
MAKER(mkstemps, (char *path, int suffix), (path, suffix))
MAKER(mkstemps64, (char *path, int suffix), (path, suffix))
MAKER(mkostemps, (char *path, int suffix, int flags), (path, suffix, flags))
MAKER(mkostemps64, (char *path, int suffix, int flags), (path, suffix, flags))

char *mkdtemp(char *path);
RELIB_EXPORT char *mkdtemp(char *path)
{
	struct origin origin;
	char *made;

	if (!next_ready() || !next.mkdtemp) {
		errno = ENOSYS;
		return NULL;
	}
	made = next.mkdtemp(path);
	if (!made)
		return NULL;
	origin = CALL_ORIGIN();
	if (origin.place)
		temporary_made(origin, made);
	return made;
}

/* The temporary file that the path is one's of, before it is removed: its key, or 0. */
static uint64_t temporary_find(int directory, const char *path)
{
	struct holding holding;
	uint64_t key;

	if (ledger_is_empty(SESSION_TEMPORARY) || !path)
		return 0;
	key = key_of(path);
	if (!key || !ledger_find(SESSION_TEMPORARY, key, &holding) ||
		identity_of_path(directory, path) != holding.data[0])
		return 0;
	return key;
}

static int removed(int result, uint64_t key)
{
	struct holding was;

	if (!result && key)
		ledger_give_back(SESSION_TEMPORARY, key, &was);
	return result;
}

#define REMOVER(name, parameters, arguments, directory)                                            \
	int name parameters;                                                                       \
	RELIB_EXPORT int name parameters                                                           \
	{                                                                                          \
		uint64_t key;                                                                      \
                                                                                                   \
		if (!next_ready() || !next.name)                                                   \
			return function_missing();                                                 \
		key = temporary_find(directory, path);                                             \
		return removed(next.name arguments, key);                                          \
	}

REMOVER(unlink, (const char *path), (path), AT_FDCWD)
REMOVER(remove, (const char *path), (path), AT_FDCWD)
REMOVER(rmdir, (const char *path), (path), AT_FDCWD)
REMOVER(unlinkat, (int directory, const char *path, int flags), (directory, path, flags), directory)

static const char *path_of(const struct holding *holding)
{
	return session_record(SESSION_STRINGS, holding->text);
}

static bool is_there(const struct holding *holding)
{
	return holding->text && identity_of_path(AT_FDCWD, path_of(holding)) == holding->data[0];
}

static const char *remove_it(const struct holding *holding)
{
	long error = sys_call(SYS_unlink, path_of(holding), 0, 0);

	if (error == -EISDIR)
		error = sys_call(SYS_rmdir, path_of(holding), 0, 0);
	return name_error(error);
}

void temporaries_settle(uint32_t generation)
{
	const struct name_kind kind = {SESSION_TEMPORARY, false, is_there, remove_it};

	name_kind_settle(&kind, generation);
}
