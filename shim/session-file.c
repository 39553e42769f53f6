/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "shim/session-file.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/sys.h"

#define EXTENT ((size_t)SESSION_EXTENT_SIZE)
#define READ_EXTENTS 8u /* at the end of a table, the last unloads are looked up in them */
#define GROW_EXTENTS 8u /* disk blocks are reserved for so many at a time, and for an eighth */

static char *base;
static uint32_t extents_most;	/* addresses reserved */
static uint32_t extents_backed; /* of the file; others are plain memory */
static uint32_t extents_mapped; /* of those */
static bool has_file, detached;
static char folder[1200], path[1300], objects[1100];

const char *session_objects_folder(void)
{
	return objects;
}

void session_file_range(uintptr_t *start, uintptr_t *end)
{
	*start = (uintptr_t)base;
	*end = (uintptr_t)base + extents_most * EXTENT;
}

void session_file_limit(size_t most)
{
	uint32_t extents = base ? ((struct session_header *)base)->extent_count : 0;

	if (extents < most / EXTENT)
		extents = (uint32_t)(most / EXTENT);
	if (extents >= extents_most || !base)
		return;
	if (extents < extents_mapped)
		extents_mapped = extents;
	if (extents < extents_backed)
		extents_backed = extents;
	sys_unmap(base + extents * EXTENT, (extents_most - extents) * EXTENT);
	extents_most = extents;
}

static size_t text_add(char *to, size_t at, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (at + length >= size)
		return size;
	memcpy(to + at, text, length + 1);
	return at + length;
}

static size_t number_add(char *to, size_t at, size_t size, unsigned long number)
{
	char digits[24];
	unsigned int n = sizeof(digits);

	digits[--n] = 0;
	do {
		digits[--n] = (char)('0' + number % 10);
	} while (number /= 10);
	return text_add(to, at, size, digits + n);
}

/* The last component of the program's path. */
static void host_name(char *name, size_t size)
{
	char exe[1024];
	long length = sys_call(SYS_readlink, "/proc/self/exe", exe, sizeof(exe) - 1);
	const char *last;

	exe[length > 0 ? length : 0] = 0;
	last = strrchr(exe, '/');
	last = last ? last + 1 : exe;
	if (text_add(name, 0, size, *last ? last : "host") == size)
		text_add(name, 0, size, "host");
}

/*
 * Makes the base folder, mode 0700.  In /tmp anybody could have made it first:
 * what is not a folder of ours is not used.
 */
static bool base_make(void)
{
	struct stat status;
	long uid = sys_call(SYS_geteuid, 0, 0, 0);

	if (!*settings.base)
		return false;
	sys_call(SYS_mkdir, settings.base, 0700, 0);
	if (sys_call(SYS_lstat, settings.base, &status, 0) || !S_ISDIR(status.st_mode) ||
		status.st_uid != (uid_t)uid || (status.st_mode & 022))
		return false;
	text_add(objects, text_add(objects, 0, sizeof(objects), settings.base), sizeof(objects),
		"/" SESSION_OBJECTS_DIR);
	sys_call(SYS_mkdir, objects, 0700, 0);
	return true;
}

/* BASE/HOST.PID, or BASE/HOST.PID.N when an earlier process had that pid. */
static bool folder_make(void)
{
	char name[256];
	size_t at;

	host_name(name, sizeof(name));
	for (unsigned int n = 1; n < 1000; n++) {
		at = text_add(folder, 0, sizeof(folder), settings.base);
		at = text_add(folder, at, sizeof(folder), "/");
		at = text_add(folder, at, sizeof(folder), name);
		at = text_add(folder, at, sizeof(folder), ".");
		at = number_add(
			folder, at, sizeof(folder), (unsigned long)sys_call(SYS_getpid, 0, 0, 0));
		if (n > 1) {
			at = text_add(folder, at, sizeof(folder), ".");
			at = number_add(folder, at, sizeof(folder), n);
		}
		if (at >= sizeof(folder))
			return false;
		switch (sys_call(SYS_mkdir, folder, 0700, 0)) {
		case 0:
			at = text_add(path, 0, sizeof(path), folder);
			return text_add(path, at, sizeof(path), "/" SESSION_FILE_NAME) <
			       sizeof(path);
		case -EEXIST:
			continue;
		default:
			return false;
		}
	}
	return false;
}

/* Real blocks on disk up to size bytes.  A file that grows past RLIMIT_FSIZE would be a signal. */
static bool file_reserve(int fd, size_t from, size_t size)
{
	static const char zeros[4096];
	struct rlimit limit;

	if (!sys_call(SYS_getrlimit, RLIMIT_FSIZE, &limit, 0) && limit.rlim_cur < size)
		return false;
	switch (sys_call6(SYS_fallocate, fd, 0, (long)from, (long)(size - from), 0, 0)) {
	case 0:
		return true;
	case -EOPNOTSUPP:
	case -ENOSYS:
		break;
	default:
		return false;
	}
	for (; from < size; from += sizeof(zeros))
		if (sys_call6(SYS_pwrite64, fd, (long)zeros, sizeof(zeros), (long)from, 0, 0) !=
			sizeof(zeros))
			return false;
	return true;
}

static bool extents_map(uint32_t first, uint32_t count, int fd)
{
	int flags = MAP_FIXED | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	long result = sys_call6(SYS_mmap, (long)(base + first * EXTENT), (long)(count * EXTENT),
		PROT_READ | PROT_WRITE, flags, fd, (long)(first * EXTENT));

	/* a child gets a copy of its own, see session_file_detach */
	return result == (long)(base + first * EXTENT);
}

static void file_make(void)
{
	int fd;

	has_file = false;
	if (!base_make() || !folder_make())
		return;
	fd = (int)sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd >= 0 && file_reserve(fd, 0, GROW_EXTENTS * EXTENT) && extents_map(0, 1, fd)) {
		has_file = true;
		extents_backed = GROW_EXTENTS;
		extents_mapped = 1;
	} else {
		if (fd >= 0)
			sys_call(SYS_unlink, path, 0, 0);
		sys_call(SYS_rmdir, folder, 0, 0);
	}
	if (fd >= 0)
		sys_close(fd);
}

struct session_header *session_file_make(void)
{
	for (extents_most = SESSION_EXTENTS_MAX; extents_most >= 64; extents_most /= 4) {
		if (extents_most * EXTENT > sys_address_share(16) && extents_most > 64)
			continue;
		base = sys_map(extents_most * EXTENT, PROT_NONE);
		if (base)
			break;
	}
	if (!base)
		return NULL;
	file_make();
	if (!has_file && !extents_map(0, 1, -1))
		return NULL;
	((struct session_header *)base)->extent_count = 1;
	return (struct session_header *)base;
}

/*
 * The file is opened anew each time: hosts close descriptors that they do not
 * know.  To the kernel what is mapped then is another mapping each time, so it
 * is more the larger the file is.
 */
static bool file_grow(uint32_t extent)
{
	uint32_t more = extents_backed / 8 > GROW_EXTENTS ? extents_backed / 8 : GROW_EXTENTS;
	bool done;
	int fd;

	if (extent < extents_mapped)
		return true;
	fd = (int)sys_open(path, O_RDWR | O_NOFOLLOW, 0);
	done = fd >= 0;
	if (extents_backed + more > extents_most)
		more = extents_most - extents_backed;
	if (done && extent >= extents_backed) {
		done = more &&
		       file_reserve(fd, extents_backed * EXTENT, (extents_backed + more) * EXTENT);
		if (done)
			extents_backed += more;
	}
	done = done && extents_map(extent, extents_backed - extent, fd);
	if (done)
		extents_mapped = extents_backed;
	if (fd >= 0)
		sys_close(fd);
	return done;
}

/*
 * The same content in memory of our own, in one step: other threads go on
 * reading and counting meanwhile.  What they count during the copy is lost.
 */
static bool file_leave(uint32_t extents)
{
	size_t size = extents * EXTENT;
	char *copy = sys_map(size, PROT_READ | PROT_WRITE);

	if (!copy)
		return false;
	memcpy(copy, base, size);
	if (sys_call6(SYS_mremap, copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, base, 0) < 0) {
		sys_unmap(copy, size);
		return false;
	}
	has_file = false;
	extents_mapped = 0;
	return true;
}

uint32_t session_file_grow(void)
{
	struct session_header *header = (struct session_header *)base;
	uint32_t extent = header->extent_count;

	if (extent >= extents_most)
		return 0;
	/*
	 * Once the file cannot grow it stays as it is, for who reads it; the work
	 * goes on in memory.
	 */
	if (has_file && !file_grow(extent)) {
		header->flags |= SESSION_FULL;
		if (!file_leave(extent))
			return 0;
	}
	if (!has_file && !extents_map(extent, 1, -1))
		return 0;
	__atomic_store_n(&header->extent_count, extent + 1, __ATOMIC_RELEASE);
	return extent;
}

void session_file_rest(const uint16_t *extents, uint32_t count)
{
	/* those before are seldom read, and were let go of more than once */
	for (uint32_t i = count > READ_EXTENTS ? count - READ_EXTENTS : 0; has_file && i < count;
		i++)
		sys_advise(base + extents[i] * EXTENT, EXTENT, MADV_DONTNEED);
}

bool session_file_detached(void)
{
	return detached;
}

/* Extent by extent and in place: a child may have no room left for a second copy of all. */
void session_file_detach(uint32_t extents)
{
	static char copy[EXTENT];

	if (!has_file)
		return;
	for (uint32_t extent = 0; extent < extents; extent++) {
		memcpy(copy, base + extent * EXTENT, EXTENT);
		if (extents_map(extent, 1, -1))
			memcpy(base + extent * EXTENT, copy, EXTENT);
	}
	has_file = false;
	extents_mapped = 0;
	detached = true;
}

void session_file_attach(void)
{
	uint32_t extents = ((struct session_header *)base)->extent_count;
	size_t size = extents * EXTENT;
	int fd;

	detached = false;
	if (!base_make() || !folder_make())
		return;
	fd = (int)sys_open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	extents_backed = (extents + GROW_EXTENTS - 1) / GROW_EXTENTS * GROW_EXTENTS;
	if (fd >= 0 && file_reserve(fd, 0, extents_backed * EXTENT)) {
		bool written = true;

		for (size_t at = 0; at < size && written; at += EXTENT)
			written = sys_call6(SYS_pwrite64, fd, (long)(base + at), (long)EXTENT,
					  (long)at, 0, 0) == (long)EXTENT;
		/* from here on writes of other threads could be lost; children have just one */
		has_file = written && extents_map(0, extents, fd);
		extents_mapped = extents;
	}
	if (!has_file) {
		if (fd >= 0)
			sys_call(SYS_unlink, path, 0, 0);
		sys_call(SYS_rmdir, folder, 0, 0);
	}
	if (fd >= 0)
		sys_close(fd);
}
