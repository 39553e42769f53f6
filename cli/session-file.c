/* SPDX-License-Identifier: MIT */
#include "cli/session-file.h"

#include "cli/session-check.h"
#include "elf/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READ_TRIES 20	      /* of a session that changes while it is read */
#define READ_PAUSE_NS 2000000 /* between two tries */

void tally_add(struct tally *sum, struct tally more)
{
	sum->blocks += more.blocks;
	sum->bytes += more.bytes;
}

struct tally tally_of(uint64_t blocks, uint64_t bytes)
{
	return (struct tally){blocks, bytes};
}

struct tally tally_less(struct tally a, struct tally b)
{
	return tally_of(a.blocks > b.blocks ? a.blocks - b.blocks : 0,
		a.bytes > b.bytes ? a.bytes - b.bytes : 0);
}

const void *session_record(const struct session *session, enum session_table table, uint64_t index)
{
	const struct session_table_head *head = &session->header->table[table];
	uint64_t per_extent = SESSION_EXTENT_SIZE / head->record_size;
	uint64_t extent = head->extent[index / per_extent];

	return session->data + extent * SESSION_EXTENT_SIZE +
	       index % per_extent * head->record_size;
}

const char *session_string(const struct session *session, uint32_t index)
{
	return index ? session_record(session, SESSION_STRINGS, index) : "";
}

const struct session_object *session_object(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_OBJECTS, index);
}

const char *session_object_path(const struct session *session, uint32_t object)
{
	return object ? session_string(session, session_object(session, object)->path) : "";
}

const struct session_generation *session_generation(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_GENERATIONS, index);
}

const struct session_place *session_place(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_PLACES, index);
}

const struct session_residue *session_residue(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_RESIDUES, index);
}

const struct session_note *session_note(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_NOTES, index);
}

const struct session_thread *session_thread(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_THREADS, index);
}

const struct session_stay *session_stay(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_STAYS, index);
}

const struct session_dangling *session_dangling(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_DANGLINGS, index);
}

const struct session_balance *session_balance(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_BALANCES, index);
}

const struct session_leftover *session_leftover(const struct session *session, uint32_t index)
{
	return session_record(session, SESSION_LEFTOVERS, index);
}

uint64_t session_frame(const struct session *session, uint32_t index)
{
	return *(const uint64_t *)session_record(session, SESSION_FRAMES, index);
}

void session_place_totals(
	const struct session *session, uint32_t index, struct place_totals *totals)
{
	const struct session_place *place = session_place(session, index);
	const struct session_counter *delta = &session->delta[index];
	struct tally gone;

	/* Deltas may be negative as a whole; the sums wrap around to the right value. */
	totals->allocated = tally_of(
		place->alloc_blocks + delta->alloc_blocks, place->alloc_bytes + delta->alloc_bytes);
	totals->freed = tally_of(
		place->free_blocks + delta->free_blocks, place->free_bytes + delta->free_bytes);
	totals->leaked = tally_of(place->leaked_blocks, place->leaked_bytes);
	totals->reclaimed = tally_of(place->reclaimed_blocks, place->reclaimed_bytes);
	totals->kept = tally_of(place->kept_blocks, place->kept_bytes);
	totals->runtime = tally_of(place->runtime_blocks, place->runtime_bytes);
	totals->dropped = tally_less(totals->reclaimed, totals->leaked);
	gone = totals->freed;
	tally_add(&gone, totals->reclaimed);
	totals->live = tally_less(totals->allocated, gone);
}

/* What threads have counted and not yet added to the places. */
static void deltas_sum(struct session *session)
{
	const struct session_counters *counters;
	const struct session_counter *entry;
	struct session_counter *delta;
	uint64_t i;
	size_t k;

	session->delta = memory_zeroed(session->count[SESSION_PLACES], sizeof(*session->delta));
	for (i = 1; i < session->count[SESSION_COUNTERS]; i++) {
		counters = session_record(session, SESSION_COUNTERS, i);
		for (k = 0; counters->tid && k < SESSION_COUNTERS_ENTRIES; k++) {
			entry = &counters->entry[k];
			/* A place newer than our look at the tables is not shown. */
			if (!entry->place || entry->place >= session->count[SESSION_PLACES])
				continue;
			delta = &session->delta[entry->place];
			delta->alloc_blocks += entry->alloc_blocks;
			delta->alloc_bytes += entry->alloc_bytes;
			delta->free_blocks += entry->free_blocks;
			delta->free_bytes += entry->free_bytes;
		}
	}
}

/* <base>/<folder>/session: the kept files are in <base>/objects. */
static char *objects_folder(const char *path)
{
	char *folder = text_copy(path), *slash, *objects;
	int i;

	for (i = 0; i < 2; i++) {
		slash = strrchr(folder, '/');
		if (slash)
			*slash = '\0';
	}
	objects = text_format("%s/%s", folder, SESSION_OBJECTS_DIR);
	free(folder);
	return objects;
}

struct session *session_from_bytes(
	const char *path, uint8_t *data, size_t size, struct error *error)
{
	struct session *session = memory_zeroed(1, sizeof(*session));

	session->path = text_copy(path);
	session->objects = objects_folder(path);
	session->data = data;
	session->size = size;
	session->header = (const struct session_header *)data;
	if (size < sizeof(uint64_t) ||
		(size < sizeof(*session->header) && session->header->magic != SESSION_MAGIC))
		error_set(error, 0, "%s: is not a relib session", path);
	else if (size < sizeof(*session->header))
		error_set(error, 0, "%s: is a truncated session: its header is cut", path);
	else if (session_check_header(path, session->header, error) == 0 &&
		 session_check_tables(session, error) == 0 &&
		 session_check_records(session, error) == 0) {
		deltas_sum(session);
		return session;
	}
	session_close(session);
	return NULL;
}

void session_close(struct session *session)
{
	if (!session)
		return;
	free(session->path);
	free(session->objects);
	free(session->data);
	free(session->delta);
	free(session);
}

static int file_open(const char *path, struct stat *info, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return error_set(error, errno, "%s: %s", path,
			errno == ENOENT	  ? "no such session"
			: errno == EACCES ? "permission denied: it belongs to somebody else"
					  : strerror(errno));
	if (fstat(fd, info) < 0 || !S_ISREG(info->st_mode)) {
		close(fd);
		return error_set(
			error, EINVAL, "%s: is not a relib session but no regular file", path);
	}
	return fd;
}

/* As many of @size bytes from @offset on as are there, or -1. */
static ssize_t file_read(
	int fd, void *buffer, size_t size, off_t offset, const char *path, struct error *error)
{
	size_t done = 0;
	ssize_t n = 1;

	while (done < size && n > 0) {
		n = pread(fd, (char *)buffer + done, size - done, offset + done);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n < 0)
			return error_set(
				error, errno, "%s: cannot be read: %s", path, strerror(errno));
		else
			done += n;
	}
	return done;
}

int session_header_read(const char *path, struct session_header *header, struct error *error)
{
	struct stat info;
	ssize_t n;
	int fd;

	fd = file_open(path, &info, error);
	if (fd < 0)
		return -1;
	n = file_read(fd, header, sizeof(*header), 0, path, error);
	close(fd);
	if (n < 0)
		return -1;
	if (n < (ssize_t)sizeof(*header))
		return error_set(error, 0, "%s: is a truncated session: its header is cut", path);
	return session_check_header(path, header, error);
}

/* How much of a file is to be read: its header, and the extents in use if the header tells. */
static size_t bytes_wanted(const struct session_header *header, size_t file_size)
{
	size_t wanted = sizeof(*header);

	if (header->magic == SESSION_MAGIC && header->extent_count <= SESSION_EXTENTS_MAX &&
		header->extent_count * (size_t)SESSION_EXTENT_SIZE > wanted)
		wanted = header->extent_count * (size_t)SESSION_EXTENT_SIZE;
	return wanted < file_size ? wanted : file_size;
}

/* The header is read first: what it counts has been written before. */
static uint8_t *file_bytes(const char *path, size_t *size, struct error *error)
{
	const size_t head = sizeof(struct session_header);
	uint8_t *data;
	struct stat info;
	ssize_t n, more = 0;
	int fd;

	fd = file_open(path, &info, error);
	if (fd < 0)
		return NULL;
	data = memory_zeroed(1, head);
	n = file_read(fd, data, head, 0, path, error);
	if (n == (ssize_t)head) {
		*size = bytes_wanted((struct session_header *)data, info.st_size);
		if (*size > head) {
			data = memory_resized(data, 1, *size);
			more = file_read(fd, data + head, *size - head, head, path, error);
		}
	}
	close(fd);
	*size = n + more;
	if (n >= 0 && more >= 0)
		return data;
	free(data);
	return NULL;
}

struct session *session_open(const char *path, struct error *error)
{
	const struct timespec pause = {0, READ_PAUSE_NS};
	struct session *session = NULL;
	uint8_t *data;
	bool running;
	size_t size;
	int try;

	/* A record may point to one that came after our look at the tables. */
	for (try = 0; try < READ_TRIES && !session; try++) {
		if (try)
			nanosleep(&pause, NULL);
		data = file_bytes(path, &size, error);
		if (!data)
			return NULL;
		running = size >= sizeof(struct session_header) &&
			  session_life((struct session_header *)data) == SESSION_LIFE_RUNNING;
		session = session_from_bytes(path, data, size, error);
		if (!running)
			break;
	}
	return session;
}

/* Field 22 of /proc/PID/stat, 0 if there is no such process. */
static uint64_t process_start_ticks(int32_t pid)
{
	char text[1024], *p;
	uint64_t ticks = 0;
	ssize_t n;
	int fd, field;

	snprintf(text, sizeof(text), "/proc/%" PRId32 "/stat", pid);
	fd = open(text, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* Field 2 is the name, which may hold blanks and parentheses. */
	p = strrchr(text, ')');
	for (field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		ticks = strtoull(p + 1, NULL, 10);
	/* A zombie has ended. */
	p = strrchr(text, ')');
	return p && p[1] && (p[2] == 'Z' || p[2] == 'X') ? 0 : ticks;
}

enum session_life session_life(const struct session_header *header)
{
	if (header->state == SESSION_EXITED)
		return SESSION_LIFE_EXITED;
	if (header->pid > 0 && header->start_ticks &&
		process_start_ticks(header->pid) == header->start_ticks)
		return SESSION_LIFE_RUNNING;
	return SESSION_LIFE_KILLED;
}
