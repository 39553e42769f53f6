/* SPDX-License-Identifier: MIT */
/*
 * Buffers of streams in a module's image: of stdin, stdout and stderr, which
 * never end, and once a module has given one to another stream, of all that
 * the C library has open.
 *
 * The buffer is exchanged with what is in it, and nothing is written or read.
 */
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "shim/arena.h"
#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/open-streams.h"

#define STREAMS 3u
#define TRIES 1000 /* for a stream that another thread uses */

/* Ours, to be used again when the stream has got another one since. */
struct buffer {
	struct buffer *next;
	char *start;
	size_t size;
};

static struct buffer *buffers;
static struct lock buffers_lock;

/* By which stack each got its buffer. */
static uint32_t places[STREAMS];

/* Another than these got one in a module's image. */
static bool others;

static FILE *stream_at(unsigned int index)
{
	FILE *const streams[STREAMS] = {stdin, stdout, stderr};

	return streams[index];
}

/* Behind the call: without a buffer the stream may have kept the one it has. */
static void buffer_note(const FILE *stream, const struct caller *caller, const void *buffer)
{
	struct holding like = {.kind = SESSION_BUFFER, .data = {(uintptr_t)buffer}}, was;
	struct origin origin = {0};

	if (buffer && generation_of((uintptr_t)buffer))
		others = true;
	for (unsigned int i = 0; i < STREAMS; i++) {
		if (stream != stream_at(i))
			continue;
		if (buffer)
			origin = caller_origin(caller);
		else if (ledger_find(SESSION_BUFFER, i, &was) &&
			 (uintptr_t)stream->_IO_buf_base == was.data[0])
			continue;
		places[i] = origin.place;
		like.key = i;
		if (origin.place || !ledger_is_empty(SESSION_BUFFER))
			ledger_acquire(origin, &like);
	}
}

int setvbuf(FILE *stream, char *buffer, int mode, size_t size);
void setbuf(FILE *stream, char *buffer);
void setbuffer(FILE *stream, char *buffer, size_t size);

RELIB_EXPORT int setvbuf(FILE *stream, char *buffer, int mode, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));
	int result;

	if (!next_ready() || !next.setvbuf)
		return -1;
	result = next.setvbuf(stream, buffer, mode, size);
	if (!result)
		buffer_note(stream, &caller, mode == _IONBF ? NULL : buffer);
	return result;
}

RELIB_EXPORT void setbuf(FILE *stream, char *buffer)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));

	if (!next_ready() || !next.setbuf)
		return;
	next.setbuf(stream, buffer);
	buffer_note(stream, &caller, buffer);
}

RELIB_EXPORT void setbuffer(FILE *stream, char *buffer, size_t size)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct caller caller = caller_of(frame, CALLER_BP(frame));

	if (!next_ready() || !next.setbuffer)
		return;
	next.setbuffer(stream, buffer, size);
	buffer_note(stream, &caller, buffer);
}

static bool has_buffer(FILE *stream, void *data)
{
	const struct buffer *buffer = data;

	return (uintptr_t)stream->_IO_buf_base - (uintptr_t)buffer->start < buffer->size;
}

static bool is_used(struct buffer *buffer)
{
	for (unsigned int i = 0; i < STREAMS; i++)
		if (has_buffer(stream_at(i), buffer))
			return true;
	return others && open_streams_each(has_buffer, buffer, true);
}

static char *buffer_take(size_t size)
{
	struct buffer *buffer;

	if (!lock_take(&buffers_lock))
		return NULL;
	for (buffer = buffers; buffer; buffer = buffer->next)
		if (buffer->size >= size && !is_used(buffer))
			break;
	if (!buffer) {
		buffer = arena_take(sizeof(*buffer) + size);
		if (buffer) {
			*buffer = (struct buffer){buffers, (char *)(buffer + 1), size};
			buffers = buffer;
		}
	}
	lock_give(&buffers_lock);
	return buffer ? buffer->start : NULL;
}

/* Every pointer into the old buffer, its end included, moves along. */
static void buffer_exchange(FILE *stream, char *to)
{
	char **const pointers[] = {
		&stream->_IO_read_ptr,
		&stream->_IO_read_end,
		&stream->_IO_read_base,
		&stream->_IO_write_base,
		&stream->_IO_write_ptr,
		&stream->_IO_write_end,
		&stream->_IO_save_base,
		&stream->_IO_backup_base,
		&stream->_IO_save_end,
		&stream->_IO_buf_base,
		&stream->_IO_buf_end,
	};
	char *const from = stream->_IO_buf_base;
	const size_t size = (size_t)(stream->_IO_buf_end - from);

	memcpy(to, from, size);
	for (size_t i = 0; i < sizeof(pointers) / sizeof(*pointers); i++)
		if (*pointers[i] && (uintptr_t)*pointers[i] - (uintptr_t)from <= size)
			*pointers[i] = to + (*pointers[i] - from);
}

/* A thread that waits for input holds its stream for long. */
static bool stream_lock(FILE *stream, int tries)
{
	for (int i = 0; i < tries; i++) {
		if (!ftrylockfile(stream))
			return true;
		sched_yield();
	}
	return false;
}

static bool stream_take_back(FILE *stream, int tries)
{
	char *buffer;

	if (!stream_lock(stream, tries))
		return false;
	buffer = buffer_take((size_t)(stream->_IO_buf_end - stream->_IO_buf_base));
	if (buffer)
		buffer_exchange(stream, buffer);
	funlockfile(stream);
	return buffer != NULL;
}

static const char *const names[STREAMS] = {"stdin", "stdout", "stderr"};

/* A buffer elsewhere, in memory of the module's or of nobody knows whom. */
static void visit_left(const struct holding *holding, void *data)
{
	const FILE *stream = stream_at((unsigned int)holding->key);

	if (stream && (uintptr_t)stream->_IO_buf_base == holding->data[0])
		ledger_left(holding, holding->key, names[holding->key], NULL);
	else
		ledger_was_gone(holding);
}

static void taken_back_count(unsigned int index, uintptr_t buffer)
{
	struct holding holding;

	if (!ledger_find(SESSION_BUFFER, index, &holding) || holding.data[0] != buffer)
		return;
	balance_take_back(holding.balance, 1, 0);
	ledger_forget(SESSION_BUFFER, index);
}

static void buffer_take_back(uint16_t generation, FILE *stream, unsigned int index, int tries)
{
	const struct generation *going = generation_at(generation);
	uintptr_t buffer = stream ? (uintptr_t)stream->_IO_buf_base : 0;
	struct session_dangling like = {
		.kind = SESSION_DANGLING_BUFFER,
		.number = index,
		.place = index < STREAMS ? places[index] : 0,
	};

	if (buffer - going->start >= going->end - going->start)
		return;
	like.taken_back = stream_take_back(stream, tries);
	dangling_hook(generation, buffer, &like, index < STREAMS ? names[index] : NULL);
	if (like.taken_back && index < STREAMS)
		taken_back_count(index, buffer);
}

/* Whoever uses it may wait for the list, which is locked. */
static bool visit_open(FILE *stream, void *data)
{
	buffer_take_back(*(const uint16_t *)data, stream, STREAMS, 1);
	return false;
}

void buffers_take_back(uint16_t generation)
{
	for (unsigned int i = 0; i < STREAMS; i++)
		buffer_take_back(generation, stream_at(i), i, TRIES);
	if (others)
		open_streams_each(visit_open, &generation, false);
	ledger_each(SESSION_BUFFER, generation_at(generation)->record, visit_left, NULL);
}

void buffers_fork_child(void)
{
	buffers_lock.owner = 0;
}
