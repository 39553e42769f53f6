/* SPDX-License-Identifier: MIT */
#include "cli/session-file.h"
#include "cli/session-folder.h"
#include "elf/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A file kept less than this ago may be of a session that does not say so yet. */
#define OBJECT_REST_SECONDS 3600

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Removes the file and then the folder, which stays if anything else is in it. */
static void session_remove(const char *base, const struct session_entry *entry)
{
	char *folder;
	struct stat info;

	if (lstat(entry->path, &info) < 0 || !S_ISREG(info.st_mode) || info.st_uid != getuid())
		return;
	folder = text_format("%s/%s", base, entry->name);
	if (lstat(folder, &info) == 0 && S_ISDIR(info.st_mode) && unlink(entry->path) == 0)
		rmdir(folder);
	free(folder);
}

/* Adds the names of the files that the session needs to the tree @needed. */
static bool objects_needed(const char *path, void **needed)
{
	struct session *session;
	struct error error;
	const char *copy;
	char *name;
	uint64_t i;

	session = session_open(path, &error);
	if (!session)
		return false;
	for (i = 1; i < session->count[SESSION_OBJECTS]; i++) {
		copy = session_string(session, session_object(session, i)->copy);
		if (!*copy || tfind(copy, needed, name_compare))
			continue;
		name = text_copy(copy);
		tsearch(name, needed, name_compare);
	}
	session_close(session);
	return true;
}

static void objects_prune(const char *base, void **needed)
{
	char *folder = text_format("%s/%s", base, SESSION_OBJECTS_DIR);
	DIR *dir = opendir(folder);
	time_t now = time(NULL);
	struct dirent *item;
	struct stat info;

	free(folder);
	if (!dir)
		return;
	while ((item = readdir(dir))) {
		if (tfind(item->d_name, needed, name_compare) ||
			fstatat(dirfd(dir), item->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(info.st_mode) || info.st_uid != getuid() ||
			now - info.st_ctime < OBJECT_REST_SECONDS)
			continue;
		unlinkat(dirfd(dir), item->d_name, 0);
	}
	closedir(dir);
}

void session_base_prune(const char *base, size_t keep)
{
	struct session_list list;
	void *needed = NULL;
	size_t i, ended = 0;
	bool complete;

	session_list_read(base, &list);
	/* With a session that this version cannot read, nobody knows what is needed. */
	complete = list.complete;
	for (i = 0; i < list.count; i++)
		ended += list.entry[i].state != SESSION_LIFE_RUNNING;
	if (ended > keep) {
		for (i = 0, ended = 0; i < list.count; i++) {
			if (list.entry[i].state != SESSION_LIFE_RUNNING && ended++ >= keep)
				session_remove(base, &list.entry[i]);
			else if (!objects_needed(list.entry[i].path, &needed))
				complete = false;
		}
		if (complete)
			objects_prune(base, &needed);
	}
	tdestroy(needed, free);
	session_list_free(&list);
}
