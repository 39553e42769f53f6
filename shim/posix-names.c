/* SPDX-License-Identifier: MIT */
/* Names of POSIX shared memory and message queues. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/types.h>

#include "shim/descriptors.h"
#include "shim/identity.h"
#include "shim/names.h"
#include "shim/next.h"
#include "shim/opening.h"
#include "shim/posix-names.h"
#include "shim/settle.h"
#include "shim/text.h"

uint64_t posix_name_key(const char *name)
{
	while (*name == '/')
		name++;
	return ledger_hash(name);
}

void posix_name_removed(enum session_resource kind, const char *name)
{
	struct holding was;

	if (name && !ledger_is_empty(kind))
		ledger_give_back(kind, posix_name_key(name), &was);
}

/* Where the C library keeps shared memory and semaphores. */
uint64_t posix_name_identity(const char *prefix, const char *name)
{
	char room[512];
	struct text text = text_in(room, sizeof(room));

	while (*name == '/')
		name++;
	text_add(&text, "/dev/shm/");
	text_add(&text, prefix);
	text_add(&text, name);
	return identity_of_path(AT_FDCWD, room);
}

static const char *name_of(const struct holding *holding)
{
	return session_record(SESSION_STRINGS, holding->text);
}

static void opened(
	struct origin origin, enum session_resource kind, int fd, const char *name, bool made)
{
	if (fd < 0)
		return;
	descriptor_opened(fd, origin);
	if (made && origin.place)
		name_made(origin, kind, posix_name_key(name), identity_of_descriptor(fd), name);
}

int shm_open(const char *name, int flags, mode_t mode);
RELIB_EXPORT int shm_open(const char *name, int flags, mode_t mode)
{
	struct origin origin;
	bool made = false;
	int fd;

	if (!next_ready() || !next.shm_open)
		return function_missing();
	origin = CALL_ORIGIN();
	if (!origin.place || !(flags & O_CREAT)) {
		fd = next.shm_open(name, flags, mode);
	} else if (flags & O_EXCL) {
		fd = next.shm_open(name, flags, mode);
		made = true;
	} else {
		NAME_MAKE(fd, -1, made, next.shm_open(name, flags | O_EXCL, mode),
			next.shm_open(name, flags & ~O_CREAT, mode));
	}
	opened(origin, SESSION_SHM_NAME, fd, name, made);
	return fd;
}

int shm_unlink(const char *name);
RELIB_EXPORT int shm_unlink(const char *name)
{
	int result;

	if (!next_ready() || !next.shm_unlink)
		return function_missing();
	result = next.shm_unlink(name);
	if (!result)
		posix_name_removed(SESSION_SHM_NAME, name);
	return result;
}

/* What open's last arguments are, without O_CREAT nothing. */
struct queue_arguments {
	mode_t mode;
	void *attributes;
};

static int queue_open(
	const char *name, int flags, struct queue_arguments with, struct origin origin)
{
	bool made = false;
	int fd;

	if (!origin.place || !(flags & O_CREAT)) {
		fd = next.mq_open(name, flags, with.mode, with.attributes);
	} else if (flags & O_EXCL) {
		fd = next.mq_open(name, flags, with.mode, with.attributes);
		made = true;
	} else {
		NAME_MAKE(fd, -1, made,
			next.mq_open(name, flags | O_EXCL, with.mode, with.attributes),
			next.mq_open(name, flags & ~O_CREAT));
	}
	opened(origin, SESSION_QUEUE_NAME, fd, name, made);
	return fd;
}

int mq_open(const char *name, int flags, ...);
RELIB_EXPORT int mq_open(const char *name, int flags, ...)
{
	struct queue_arguments with = {0};
	va_list arguments;

	if (!next_ready() || !next.mq_open)
		return function_missing();
	if (flags & O_CREAT) {
		va_start(arguments, flags);
		with.mode = va_arg(arguments, mode_t);
		with.attributes = va_arg(arguments, void *);
		va_end(arguments);
	}
	return queue_open(name, flags, with, CALL_ORIGIN());
}

int __mq_open_2(const char *name, int flags);
RELIB_EXPORT int __mq_open_2(const char *name, int flags)
{
	int fd;

	if (!next_ready() || !next.mq_open_2)
		return function_missing();
	fd = next.mq_open_2(name, flags);
	opened(CALL_ORIGIN(), SESSION_QUEUE_NAME, fd, name, false);
	return fd;
}

int mq_close(int fd);
RELIB_EXPORT int mq_close(int fd)
{
	if (!next_ready() || !next.mq_close)
		return function_missing();
	descriptor_closing(fd);
	return next.mq_close(fd);
}

int mq_unlink(const char *name);
RELIB_EXPORT int mq_unlink(const char *name)
{
	int result;

	if (!next_ready() || !next.mq_unlink)
		return function_missing();
	result = next.mq_unlink(name);
	if (!result)
		posix_name_removed(SESSION_QUEUE_NAME, name);
	return result;
}

static bool memory_is_there(const struct holding *holding)
{
	return holding->text && posix_name_identity("", name_of(holding)) == holding->data[0];
}

static const char *memory_remove(const struct holding *holding)
{
	return next.shm_unlink(name_of(holding)) ? name_error(-errno) : NULL;
}

/* The kernel knows queues without their slash, and one that may not be read by its answer. */
static bool queue_is_there(const struct holding *holding)
{
	uint64_t identity;
	long fd;

	if (!holding->text)
		return false;
	fd = sys_call6(SYS_mq_open, (long)(name_of(holding) + 1), O_RDONLY | O_NONBLOCK | O_CLOEXEC,
		0, 0, 0, 0);
	if (fd < 0)
		return fd == -EACCES;
	identity = identity_of_descriptor((int)fd);
	sys_close((int)fd);
	return identity == holding->data[0];
}

static const char *queue_remove(const struct holding *holding)
{
	return name_error(sys_call(SYS_mq_unlink, name_of(holding) + 1, 0, 0));
}

void posix_names_settle(uint32_t generation)
{
	const struct name_kind memory = {SESSION_SHM_NAME, false, memory_is_there, memory_remove};
	const struct name_kind queue = {SESSION_QUEUE_NAME, false, queue_is_there, queue_remove};
	int saved = errno;

	name_kind_settle(&memory, generation);
	name_kind_settle(&queue, generation);
	errno = saved;
}
