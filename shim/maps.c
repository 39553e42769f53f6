/* SPDX-License-Identifier: MIT */
#include "shim/maps.h"

#include <errno.h>
#include <fcntl.h>

#include "shim/arch.h"

bool maps_open(struct maps *maps, void *buffer, size_t size)
{
	long fd = raw(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);

	maps->buffer = maps->at = maps->end = buffer;
	maps->size = size;
	maps->fd = (int)fd;
	maps->error = fd < 0 ? (int)-fd : 0;
	return fd >= 0;
}

void maps_close(struct maps *maps)
{
	if (maps->fd >= 0)
		raw(SYS_close, maps->fd);
	maps->fd = -1;
}

/* Moves the unread rest to the front and reads on.  False at the end of the file. */
static bool maps_fill(struct maps *maps)
{
	char *to = maps->buffer;
	long got;

	while (maps->at < maps->end)
		*to++ = *maps->at++;
	maps->at = maps->buffer;
	maps->end = to;
	if (to == maps->buffer + maps->size) {
		maps->error = E2BIG; /* a line longer than the buffer */
		return false;
	}
	do
		got = raw(SYS_read, maps->fd, to, maps->buffer + maps->size - to);
	while (got == -EINTR);
	if (got < 0)
		maps->error = (int)-got;
	if (got <= 0)
		return false;
	maps->end += got;
	return true;
}

/* The end of the line at maps->at, or NULL when there is none. */
static char *maps_line(struct maps *maps)
{
	char *at = maps->at;

	for (;;) {
		size_t done;

		for (; at < maps->end; at++)
			if (*at == '\n')
				return at;
		done = (size_t)(at - maps->at);
		if (!maps_fill(maps)) {
			if (!maps->error && done)
				maps->error = EIO;
			return NULL;
		}
		at = maps->at + done;
	}
}

static const char *maps_hex(const char *at, uintptr_t *to)
{
	uintptr_t value = 0;

	for (;; at++) {
		if (*at >= '0' && *at <= '9')
			value = value << 4 | (uintptr_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			value = value << 4 | (uintptr_t)(*at - 'a' + 10);
		else
			break;
	}
	*to = value;
	return at;
}

static const char *maps_word(const char *at)
{
	while (*at != ' ' && *at != '\n')
		at++;
	while (*at == ' ')
		at++;
	return at;
}

/* "start-end rwxp offset device inode    name" */
bool maps_next(struct maps *maps, struct mapping *to)
{
	const char *end = maps_line(maps), *at;
	uintptr_t offset;
	size_t i;

	if (!end)
		return false;
	at = maps_hex(maps->at, &to->start);
	if (*at == '-')
		at = maps_hex(at + 1, &to->end);
	if (*at != ' ' || end - at < 5 || to->end < to->start) {
		maps->error = EIO;
		return false;
	}
	to->read = at[1] == 'r';
	to->write = at[2] == 'w';
	to->shared = at[4] == 's';
	at = maps_hex(maps_word(at + 1), &offset);
	to->offset = offset;
	at = maps_word(maps_word(at));
	to->file = *at != '0';
	at = maps_word(at);
	to->path = at;
	to->path_length = (size_t)(end - at);
	for (i = 0; i < MAPS_NAME - 1 && at + i < end; i++)
		to->name[i] = at[i];
	to->name[i] = '\0';
	maps->at = (char *)end + 1;
	return true;
}
