/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "shim/object-copy.h"
#include "shim/session.h"
#include "shim/sys.h"

#define HEAD 4096u /* bytes compared with the image, to see that the file is still its */

uint64_t object_file_hash(const char *path)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	int fd = (int)sys_open(path, O_RDONLY, 0);
	struct stat status;
	uint64_t *words;
	size_t size;

	if (fd < 0)
		return 0;
	if (sys_call(SYS_fstat, fd, &status, 0) || !S_ISREG(status.st_mode)) {
		sys_close(fd);
		return 0;
	}
	size = (size_t)status.st_size;
	/* read, not mapped: a file that shrinks meanwhile would be a SIGBUS */
	words = sys_map(65536, PROT_READ | PROT_WRITE);
	for (long got = 1; words && got > 0;) {
		got = sys_read(fd, words, 65536);
		for (long i = 0; i < got / 8; i++)
			hash = (hash ^ words[i]) * UINT64_C(1099511628211) ^ hash >> 29;
		for (long i = got & ~7L; i < got; i++)
			hash = (hash ^ ((unsigned char *)words)[i]) * UINT64_C(1099511628211);
	}
	if (words)
		sys_unmap(words, 65536);
	sys_close(fd);
	hash ^= size;
	return hash ? hash : 1;
}

static size_t hex_add(char *to, const unsigned char *bytes, size_t count)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		to[2 * i] = digits[bytes[i] >> 4];
		to[2 * i + 1] = digits[bytes[i] & 15];
	}
	to[2 * count] = 0;
	return 2 * count;
}

static bool is_same_file(const struct object *object, int fd)
{
	static char head[HEAD];
	long got = sys_call6(SYS_pread64, fd, (long)head, HEAD, 0, 0, 0);

	/* the first segment begins with the ELF header, read-only, in what linkers make */
	return got >= (long)sizeof(ElfW(Ehdr)) && object->end - object->start >= HEAD &&
	       !memcmp(head, (const void *)object->start, (size_t)got);
}

static int content_copy(int from, int to)
{
	char *buffer;
	long got;

	/* shares the blocks where the file system can */
	if (!sys_call(SYS_ioctl, to, 0x40049409 /* FICLONE */, from))
		return 0;
	buffer = sys_map(1 << 18, PROT_READ | PROT_WRITE);
	if (!buffer)
		return ENOMEM;
	while ((got = sys_read(from, buffer, 1 << 18)) > 0) {
		long written = sys_write(to, buffer, (size_t)got);

		if (written != got) {
			got = written < 0 ? written : -ENOSPC;
			break;
		}
	}
	sys_unmap(buffer, 1 << 18);
	return got < 0 ? (int)-got : 0;
}

/* Under another name first: a copy is whole, or not there. */
static int file_copy(int from, const char *target)
{
	char temporary[1400];
	size_t length = strlen(target);
	struct rlimit limit;
	struct stat status;
	int to, error, pid = (int)sys_call(SYS_getpid, 0, 0, 0);

	if (length + 16 >= sizeof(temporary))
		return ENAMETOOLONG;
	if (sys_call(SYS_fstat, from, &status, 0) ||
		(!sys_call(SYS_getrlimit, RLIMIT_FSIZE, &limit, 0) &&
			limit.rlim_cur < (rlim_t)status.st_size))
		return EFBIG;
	memcpy(temporary, target, length);
	/* of this process: several may copy the same file at once */
	memcpy(temporary + length, ".part-", 6);
	hex_add(temporary + length + 6, (const unsigned char *)&pid, sizeof(pid));
	sys_call(SYS_unlink, temporary, 0, 0);
	to = (int)sys_open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (to < 0)
		return -to;
	error = content_copy(from, to);
	sys_close(to);
	if (!error)
		error = (int)-sys_call(SYS_rename, temporary, target, 0);
	if (error)
		sys_call(SYS_unlink, temporary, 0, 0);
	return error;
}

void object_file_keep(const struct object *object, const char *path, struct session_object *record)
{
	const char *folder = session_objects_folder();
	char name[80], target[1300];
	size_t length = strlen(folder);
	int fd;

	if (!*folder || length + sizeof(name) + 2 > sizeof(target)) {
		record->copy_errno = ENOENT;
		return;
	}
	if (record->build_id_size)
		hex_add(name, record->build_id, record->build_id_size);
	else
		hex_add(name, (const unsigned char *)&record->content_hash,
			sizeof(record->content_hash));
	memcpy(target, folder, length);
	target[length] = '/';
	memcpy(target + length + 1, name, strlen(name) + 1);
	if (!sys_call(SYS_access, target, 0, 0)) {
		record->copy = session_string(name, strlen(name));
		return;
	}
	fd = (int)sys_open(path, O_RDONLY, 0);
	if (fd < 0)
		record->copy_errno = -fd;
	else if (!is_same_file(object, fd))
		record->copy_errno = ESTALE;
	else
		record->copy_errno = file_copy(fd, target);
	if (fd >= 0)
		sys_close(fd);
	if (!record->copy_errno)
		record->copy = session_string(name, strlen(name));
}
