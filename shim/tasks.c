/* SPDX-License-Identifier: MIT */
#include "shim/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "shim/arch.h"
#include "shim/text.h"

struct task_entry { /* struct linux_dirent64 */
	uint64_t inode;
	int64_t offset;
	unsigned short length;
	unsigned char type;
	char name[];
};

static const char *task_number(const char *text, long *to)
{
	long number = 0;

	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (*text - '0');
	*to = number;
	return text;
}

/* "123/task/456" must be what getpid and gettid say. */
static bool tasks_count_as_we_do(void)
{
	char link[64];
	long length, pid, tid;
	const char *rest;

	length = raw(SYS_readlinkat, AT_FDCWD, "/proc/thread-self", link, sizeof(link) - 1);
	if (length <= 0)
		return false;
	link[length] = '\0';
	rest = task_number(link, &pid);
	if (!rest || *rest != '/')
		return false;
	for (rest++; *rest && *rest != '/'; rest++)
		;
	if (*rest != '/' || !task_number(rest + 1, &tid))
		return false;
	return pid == raw(SYS_getpid) && tid == raw(SYS_gettid);
}

int tasks_open(void)
{
	long fd =
		raw(SYS_openat, AT_FDCWD, "/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd >= 0 && !tasks_count_as_we_do()) {
		raw(SYS_close, fd);
		return -EXDEV;
	}
	return (int)fd;
}

/* The directory has as many links as the kernel's own count of threads, and two. */
long tasks_count(int directory)
{
	struct stat info;
	long result = raw(SYS_fstat, directory, &info);

	return result < 0 ? result : (long)info.st_nlink - 2;
}

int tasks_each(int directory, void *buffer, size_t size, int (*each)(void *, pid_t), void *data)
{
	long got = raw(SYS_lseek, directory, 0, SEEK_SET);

	if (got < 0)
		return (int)got;
	while ((got = raw(SYS_getdents64, directory, buffer, size)) > 0) {
		const char *at = buffer, *end = at + got;

		while (at < end) {
			const struct task_entry *entry = (const void *)at;
			long tid;
			int result;

			at += entry->length;
			if (!task_number(entry->name, &tid))
				continue;
			result = each(data, (pid_t)tid);
			if (result)
				return result;
		}
	}
	return (int)got;
}

/* The text after "\nname:" and blanks, or NULL. */
static const char *task_field(const char *text, const char *name)
{
	size_t i;

	for (; *text; text++) {
		if (*text != '\n')
			continue;
		for (i = 0; name[i] && text[1 + i] == name[i]; i++)
			;
		if (name[i])
			continue;
		for (text += 1 + i; *text == '\t' || *text == ' '; text++)
			;
		return text;
	}
	return NULL;
}

static unsigned long long task_mask(const char *text)
{
	unsigned long long mask = 0;

	for (; text; text++) {
		if (*text >= '0' && *text <= '9')
			mask = mask << 4 | (unsigned int)(*text - '0');
		else if (*text >= 'a' && *text <= 'f')
			mask = mask << 4 | (unsigned int)(*text - 'a' + 10);
		else
			break;
	}
	return mask;
}

long task_file_read(int directory, pid_t tid, const char *file, char *text, size_t size)
{
	char path[32];
	struct text name = text_in(path, sizeof(path));
	long fd, length;

	text_number(&name, (uint64_t)tid, 10, 1);
	text_add(&name, "/");
	text_add(&name, file);
	fd = raw(SYS_openat, directory, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	length = raw(SYS_read, fd, text, size - 1);
	raw(SYS_close, fd);
	text[length > 0 ? length : 0] = '\0';
	return length;
}

bool task_name_read(int directory, pid_t tid, char name[TASK_NAME_SIZE])
{
	char text[TASK_NAME_SIZE + 1];
	long length = task_file_read(directory, tid, "comm", text, sizeof(text));

	if (length <= 0)
		return false;
	text[length - 1] = '\0'; /* the newline */
	for (long i = 0; i < length; i++)
		name[i] = text[i];
	return true;
}

bool task_read(int directory, pid_t tid, struct task_state *to)
{
	char text[4096];
	const char *field;
	long number;

	if (task_file_read(directory, tid, "status", text, sizeof(text)) <= 0)
		return false;
	field = task_field(text, "State:");
	to->state = field ? *field : '?';
	field = task_field(text, "TracerPid:");
	to->tracer = field && task_number(field, &number) ? (pid_t)number : 0;
	field = task_field(text, "Seccomp:");
	to->seccomp = field && task_number(field, &number) ? (int)number : 0;
	to->blocked = task_mask(task_field(text, "SigBlk:"));
	return true;
}
