/* SPDX-License-Identifier: MIT */
#include "cli/measure.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LINE_SIZE 512

/* Lines of a file; what is behind LINE_SIZE bytes of one is left out. */
struct lines {
	int fd;
	size_t at, end;
	char line[LINE_SIZE];
};

static char buffer[65536] __attribute__((aligned(8)));

static bool lines_refill(struct lines *lines)
{
	ssize_t n = read(lines->fd, buffer, sizeof(buffer));

	lines->at = 0;
	lines->end = n > 0 ? n : 0;
	return n > 0;
}

static bool lines_next(struct lines *lines)
{
	size_t length = 0;
	char c;

	for (;;) {
		if (lines->at == lines->end && !lines_refill(lines))
			return false;
		c = buffer[lines->at++];
		if (c == '\n')
			break;
		if (length < LINE_SIZE - 1)
			lines->line[length++] = c;
	}
	lines->line[length] = '\0';
	return true;
}

static bool lines_open(struct lines *lines, const char *path)
{
	*lines = (struct lines){.fd = open(path, O_RDONLY | O_CLOEXEC)};
	return lines->fd >= 0;
}

/* The value behind @name in a file of "Name:   12 kB" lines, or -1. */
static int64_t value_read(const char *path, const char *name)
{
	size_t length = strlen(name);
	int64_t value = -1;
	struct lines lines;

	if (!lines_open(&lines, path))
		return -1;
	while (value < 0 && lines_next(&lines))
		if (strncmp(lines.line, name, length) == 0)
			value = strtoll(lines.line + length, NULL, 10);
	close(lines.fd);
	return value;
}

static bool text_ends(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);

	return length >= tail && strcmp(text + length - tail, end) == 0;
}

/*
 * Addresses without access cost nothing: the preload library holds back those of
 * unloaded modules, and allocators reserve.  What the session file takes is the
 * record of the modules, and grows with their generations.
 */
static void mappings_measure(struct measurement *m)
{
	struct lines lines;
	uint64_t start, end;
	char *at;

	m->mappings = m->size = -1;
	if (!lines_open(&lines, "/proc/self/maps"))
		return;
	m->mappings = m->size = 0;
	while (lines_next(&lines)) {
		start = strtoull(lines.line, &at, 16);
		end = *at == '-' ? strtoull(at + 1, &at, 16) : start;
		if (strncmp(at, " ---", 4) == 0 || text_ends(lines.line, "/session"))
			continue;
		m->mappings++;
		m->size += end - start;
	}
	close(lines.fd);
}

struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* Less the one that is open for it. */
static int64_t descriptors_count(void)
{
	int fd = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct entry *entry;
	int64_t count = -1;
	long n, at;

	if (fd < 0)
		return -1;
	while ((n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (at = 0; at < n; at += entry->size) {
			entry = (const struct entry *)(buffer + at);
			count += entry->name[0] != '.';
		}
	close(fd);
	return n < 0 ? -1 : count;
}

void measure(struct measurement *m)
{
	/* Pages of files come and go as the kernel likes, and are no growth. */
	m->resident = value_read("/proc/self/smaps_rollup", "Anonymous:");
	if (m->resident < 0)
		m->resident = value_read("/proc/self/status", "RssAnon:");
	if (m->resident >= 0)
		m->resident *= 1024;
	mappings_measure(m);
	m->descriptors = descriptors_count();
	m->threads = value_read("/proc/self/status", "Threads:");
}
