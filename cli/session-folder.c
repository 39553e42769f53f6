/* SPDX-License-Identifier: MIT */
#include "cli/session-folder.h"

#include "cli/session-file.h"
#include "elf/memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *session_base(const char *wanted, bool *is_default)
{
	const char *dir;

	*is_default = false;
	if (wanted)
		return text_copy(wanted);
	dir = getenv("RELIB_DIR");
	if (dir && *dir)
		return text_copy(dir);
	*is_default = true;
	dir = getenv("XDG_RUNTIME_DIR");
	if (dir && *dir == '/')
		return text_format("%s/relib", dir);
	return text_format("/tmp/relib-%lu", (unsigned long)getuid());
}

int session_base_check(const char *base, bool is_default, struct error *error)
{
	struct stat info;

	if ((is_default ? lstat(base, &info) : stat(base, &info)) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_set(error, errno, "%s: the folder of sessions cannot be read: %s",
			base, strerror(errno));
	}
	if (S_ISLNK(info.st_mode))
		return error_set(error, ELOOP,
			"%s: is a symbolic link: remove it or set RELIB_DIR to a folder of yours",
			base);
	if (!S_ISDIR(info.st_mode))
		return error_set(error, ENOTDIR,
			"%s: is not a folder: remove it or choose another with RELIB_DIR", base);
	if (!is_default)
		return 0;
	if (info.st_uid != getuid())
		return error_set(error, EPERM,
			"%s: belongs to somebody else: set RELIB_DIR to a folder of yours", base);
	if (info.st_mode & (S_IRWXG | S_IRWXO))
		return error_set(
			error, EPERM, "%s: is open to others: chmod 700 it or set RELIB_DIR", base);
	return 0;
}

int session_base_make(const char *base, bool is_default, struct error *error)
{
	struct stat info;

	if (mkdir(base, S_IRWXU) < 0 && errno != EEXIST)
		return error_set(error, errno,
			"%s: the folder of sessions cannot be made: %s; choose another with "
			"RELIB_DIR or --session-dir",
			base, strerror(errno));
	if (session_base_check(base, is_default, error) < 0)
		return -1;
	/* The preload library uses no other: somebody else could change what it writes. */
	if (stat(base, &info) == 0 &&
		(info.st_uid != geteuid() || info.st_mode & (S_IWGRP | S_IWOTH)))
		return error_set(error, EPERM,
			"%s: the folder of sessions must belong to you and be writable by nobody "
			"else: chmod go-w it or choose another with RELIB_DIR or --session-dir",
			base);
	if (access(base, W_OK | X_OK) < 0)
		return error_set(error, errno,
			"%s: the folder of sessions cannot be written: %s; choose another with "
			"RELIB_DIR or --session-dir",
			base, strerror(errno));
	return 0;
}

static int entry_compare(const void *a, const void *b)
{
	const struct session_entry *x = a, *y = b;

	if (x->started_ns != y->started_ns)
		return x->started_ns > y->started_ns ? -1 : 1;
	/* not as the folder happens to be read */
	return strcmp(y->name, x->name);
}

void session_list_read(const char *base, struct session_list *list)
{
	struct session_header *header = memory_zeroed(1, sizeof(*header));
	struct session_entry *entry;
	struct error error;
	struct dirent *item;
	DIR *dir = opendir(base);
	char *path;

	*list = (struct session_list){.complete = true};
	while (dir && (item = readdir(dir))) {
		if (item->d_name[0] == '.' || strcmp(item->d_name, SESSION_OBJECTS_DIR) == 0)
			continue;
		path = text_format("%s/%s/%s", base, item->d_name, SESSION_FILE_NAME);
		if (session_header_read(path, header, &error) < 0) {
			if (error.code != ENOENT && error.code != ENOTDIR)
				list->complete = false;
			free(path);
			continue;
		}
		entry = array_append(&list->entry, &list->count, sizeof(*entry));
		entry->name = text_copy(item->d_name);
		entry->path = path;
		entry->pid = header->pid;
		entry->state = session_life(header);
		entry->start_ticks = header->start_ticks;
		entry->started_ns = header->started_ns;
	}
	if (dir)
		closedir(dir);
	free(header);
	if (list->count)
		qsort(list->entry, list->count, sizeof(*list->entry), entry_compare);
}

void session_list_free(struct session_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		free(list->entry[i].name);
		free(list->entry[i].path);
	}
	free(list->entry);
	*list = (struct session_list){0};
}

/* Newest first, so a running one before those of earlier processes of that number. */
static char *find_pid(
	const struct session_list *list, const char *base, const char *operand, struct error *error)
{
	long pid = strtol(operand, NULL, 10);
	size_t i;

	for (i = 0; i < list->count; i++)
		if (list->entry[i].pid == pid)
			return text_copy(list->entry[i].path);
	if (pid <= 0 || pid > INT32_MAX || (kill(pid, 0) < 0 && errno == ESRCH))
		error_set(error, ESRCH, "%s: no such process, and no session of one in %s", operand,
			base);
	else if (kill(pid, 0) < 0 && errno == EPERM)
		error_set(error, EPERM,
			"%s: the process belongs to somebody else: report on it as its user",
			operand);
	else
		error_set(error, ENOENT,
			"%s: the process has no session in %s: start it with relib run or "
			"LD_PRELOAD=librelib.so",
			operand, base);
	return NULL;
}

/* A folder of a session, or its file. */
static char *find_path(const char *operand, struct error *error)
{
	struct stat info;
	char *path;

	if (stat(operand, &info) < 0) {
		error_set(error, errno, "%s: %s", operand,
			errno == ENOENT ? "no such session" : strerror(errno));
		return NULL;
	}
	if (!S_ISDIR(info.st_mode))
		return realpath(operand, NULL);
	path = text_format("%s/%s", operand, SESSION_FILE_NAME);
	if (stat(path, &info) < 0) {
		error_set(error, errno,
			"%s: is not the folder of a session: there is no file '%s' in it", operand,
			SESSION_FILE_NAME);
		free(path);
		return NULL;
	}
	return path;
}

static char *find_name(
	const struct session_list *list, const char *base, const char *operand, struct error *error)
{
	size_t i;

	if (!strchr(operand, '/'))
		for (i = 0; i < list->count; i++)
			if (strcmp(list->entry[i].name, operand) == 0)
				return text_copy(list->entry[i].path);
	if (strchr(operand, '/') || access(operand, F_OK) == 0)
		return find_path(operand, error);
	error_set(error, ENOENT, "%s: no such session, neither here nor in %s", operand, base);
	return NULL;
}

char *session_find(const char *base, const char *operand, struct error *error)
{
	struct session_list list;
	char *path = NULL;

	session_list_read(base, &list);
	if (operand && operand[strspn(operand, "0123456789")] == '\0' && *operand)
		path = find_pid(&list, base, operand, error);
	else if (operand)
		path = find_name(&list, base, operand, error);
	else if (list.count)
		path = text_copy(list.entry[0].path);
	else
		error_set(
			error, ENOENT, "there is no session in %s: start one with relib run", base);
	session_list_free(&list);
	return path;
}
