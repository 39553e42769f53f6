/* SPDX-License-Identifier: MIT */
#include "shim/look-streams.h"

#include <stdio.h>
#include <string.h>

#include "shim/balances.h"
#include "shim/directories.h"
#include "shim/freed-chunks.h"
#include "shim/generation.h"
#include "shim/heap.h"
#include "shim/ledger.h"
#include "shim/look-ranges.h"
#include "shim/roots.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/sorted.h"
#include "shim/stdio-streams.h"
#include "shim/sys.h"

/* Public symbol of glibc without a header any more. */
extern FILE *_IO_list_all __attribute__((weak));

#define LISTED_MOST ((size_t)1 << 20) /* a list that is longer goes in circles */
#define USER_BUFFER 1		      /* in _flags: the buffer is not the stream's own */
#define USER_WIDE_BUFFER 8	      /* in _flags2 */
#define WIDE_BUFFER 6		      /* of the wide data's words, where its buffer begins */

struct look_stream {
	struct holding holding;
	bool kept;
	struct look_reference reference;
};

/* One look at a time. */
static struct {
	struct look_stream *streams; /* sorted by address */
	size_t count, size;
	uintptr_t *links;  /* where the list's pointers stand, and what is freed with streams; */
	size_t link_count; /* each sorted */
	uintptr_t *buffers;
	size_t buffer_count;
} work;

static struct look_stream *stream_at(uintptr_t block)
{
	size_t from = SORTED_COUNT(work.count, i, work.streams[i].holding.key < block);
	return from < work.count && work.streams[from].holding.key == block ? &work.streams[from]
									    : NULL;
}

/* The slot of the unloaded generation whose block it is, or 0. */
static uint16_t slot_of(const struct holding *holding)
{
	const void *block = (const void *)(uintptr_t)holding->key;
	struct origin origin;
	size_t size;

	if (!heap_owns(block))
		return 0;
	origin = heap_origin(block, &size);
	if (!origin.place || generation_at(origin.generation)->state < GENERATION_LOOKED_AT ||
		generation_at(origin.generation)->record !=
			balance_at(holding->balance)->generation)
		return 0;
	return origin.generation;
}

static void holding_visit(const struct holding *holding, void *data)
{
	bool is_memory = holding->kind == SESSION_STREAM && stream_kind(holding) == STREAM_MEMORY;

	if (work.count < work.size && !is_memory && slot_of(holding))
		work.streams[work.count++] = (struct look_stream){.holding = *holding};
}

void look_streams_begin(void)
{
	memset(&work, 0, sizeof(work));
	work.size = ledger_counts[SESSION_STREAM] + ledger_counts[SESSION_DIRECTORY];
	if (!work.size)
		return;
	work.streams = look_ranges_scratch(work.size * sizeof(*work.streams));
	if (!work.streams)
		return;
	ledger_each(SESSION_STREAM, 0, holding_visit, NULL);
	ledger_each(SESSION_DIRECTORY, 0, holding_visit, NULL);
	SORT(work.streams, work.count, .holding.key);
}

/* Blocks that fclose frees besides the FILE. */
static void buffers_note(const FILE *stream)
{
	const uintptr_t *wide = (const uintptr_t *)stream->_wide_data;

	if (!(stream->_flags & USER_BUFFER) && stream->_IO_buf_base)
		work.buffers[work.buffer_count++] = (uintptr_t)stream->_IO_buf_base;
	/* one that can never be wide has -1 there */
	if (wide && (uintptr_t)wide != UINTPTR_MAX && !(stream->_flags2 & USER_WIDE_BUFFER) &&
		wide[WIDE_BUFFER])
		work.buffers[work.buffer_count++] = wide[WIDE_BUFFER];
}

/* What was closed since, and is another's block by now, is none of these. */
static void streams_check(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < work.count; i++)
		if (slot_of(&work.streams[i].holding))
			work.streams[kept++] = work.streams[i];
	work.count = kept;
	for (size_t i = 0; i < work.count; i++)
		if (work.streams[i].holding.kind == SESSION_STREAM)
			buffers_note((const FILE *)(uintptr_t)work.streams[i].holding.key);
	SORT(work.buffers, work.buffer_count, );
}

bool look_streams_make(void)
{
	size_t listed = 0;

	if (!work.count)
		return true;
	for (const FILE *at = &_IO_list_all ? _IO_list_all : NULL; at && listed < LISTED_MOST;
		at = at->_chain)
		listed++;
	work.buffers = look_ranges_scratch(work.size * 2 * sizeof(*work.buffers));
	work.links = look_ranges_scratch((listed + 1) * sizeof(*work.links));
	if (!work.buffers || !work.links)
		return false;
	for (const FILE *at = &_IO_list_all ? _IO_list_all : NULL; at && work.link_count < listed;
		at = at->_chain)
		work.links[work.link_count++] = (uintptr_t)&at->_chain;
	SORT(work.links, work.link_count, );
	streams_check();
	return true;
}

uintptr_t look_streams_block(size_t i)
{
	return i < work.count ? work.streams[i].holding.key : 0;
}

bool look_streams_listed(uintptr_t block, const struct scan_place *place)
{
	return stream_at(block) && sorted_has(work.links, work.link_count, place->address);
}

bool look_streams_freed(uintptr_t block, const struct scan_place *place)
{
	return place->kind == SCAN_MAPPING_PRIVATE && place->address &&
	       !heap_owns((const void *)place->address) && stream_at(block) &&
	       freed_chunks_hold(place);
}

void look_streams_kept(uintptr_t block, const struct look_reference *reference)
{
	struct look_stream *stream = stream_at(block);

	if (!stream)
		return;
	stream->kept = true;
	stream->reference = *reference;
}

bool look_streams_frees(uintptr_t block)
{
	return stream_at(block) || sorted_has(work.buffers, work.buffer_count, block);
}

static void record(const struct holding *holding, enum session_leftover_state state,
	const struct session_root *root, const char *why)
{
	if (holding->leftover)
		ledger_looked_at(holding, state, holding->key, root, why);
	else if (holding->kind == SESSION_STREAM)
		stream_leftover(holding, state, root, why);
	else
		directory_leftover(holding, state, root, why);
}

static void stream_settle(struct look_stream *stream)
{
	const struct look_reference *reference = &stream->reference;
	struct holding *holding = &stream->holding;
	const char *why = NULL;
	struct session_root root;
	uint16_t slot = slot_of(holding);

	/* it may have been closed meanwhile, or recorded */
	if (!slot || !ledger_find(holding->kind, holding->key, holding))
		return;
	if (stream->kept) {
		root = root_record(reference->referrer, reference->referrer_place,
			reference->referrer_offset, &reference->root);
		record(holding, SESSION_KEPT, &root, NULL);
	} else if (settings.fds != SESSION_FDS_CLOSE) {
		record(holding, SESSION_LEFT, NULL, NULL);
	} else if (holding->kind == SESSION_STREAM ? stream_close(holding, &why)
						   : directory_close(holding, &why)) {
		record(holding, SESSION_TAKEN_BACK, NULL, NULL);
		return;
	} else if (why) {
		record(holding, SESSION_LEFT, NULL, why);
	}
	generation_at(slot)->used = true;
}

void look_streams_end(bool done)
{
	for (size_t i = 0; done && i < work.count; i++)
		stream_settle(&work.streams[i]);
	if (work.streams)
		sys_unmap(work.streams, work.size * sizeof(*work.streams));
	if (work.buffers)
		sys_unmap(work.buffers, work.size * 2 * sizeof(*work.buffers));
	if (work.links)
		sys_unmap(work.links, (work.link_count + 1) * sizeof(*work.links));
	memset(&work, 0, sizeof(work));
}
