/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "shim/loader.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/unload.h"

static const struct origin nobody;
static const struct origin loader_origin = {HEAP_PLACE_LOADER, HEAP_GENERATION_NONE};

struct origin module_origin_slow(const struct caller *caller)
{
	struct thread *thread = &thread_self;
	uint32_t code;

	if (thread->inside)
		return nobody;
	code = code_of(caller->pc - 1);
	if (thread->loading) {
		if (CODE_CLASS(code) <= CODE_HOST || CODE_CLASS(code) == CODE_LOADER)
			loader_look(caller->pc, caller->sp, caller->bp);
		code = code_of(caller->pc - 1);
		/* the loader is done: what it made is in another namespace, where we do not look */
		if (CODE_CLASS(code) != CODE_LOADER)
			thread->loading = false;
	}
	switch (CODE_CLASS(code)) {
	case CODE_LOADER:
		return loader_origin;
	case CODE_MODULE:
	case CODE_RUNTIME:
		return callstacks_origin(thread_here(), caller, code);
	default:
		return nobody;
	}
}

static void *counted(struct thread *thread, void *block, size_t size, struct origin origin)
{
	if (__builtin_expect(origin.place != HEAP_PLACE_LOADER, 1))
		place_allocated(thread, origin.place, size);
	return block;
}

/* There was no block: true when it is worth another try. */
static bool is_relieved(struct thread *thread, size_t size)
{
	int saved = errno;
	bool relieved = !thread->refused && size < heap.size && unload_relieve();

	errno = saved;
	return relieved;
}

static void *exhausted(struct thread *thread)
{
	if (session) {
		thread->inside++;
		session->flags |= SESSION_HEAP_FULL;
		session_note(SESSION_NOTE_UNTRACKED, 0, 0, 0,
			!thread->refused ? "the module heap is full: out of memory"
			: heap.size	 ? "the module heap was busy: blocks went to the host's"
				    : "no addresses for a module heap: blocks went to the host's");
		thread->inside--;
	}
	if (!thread->refused)
		errno = ENOMEM;
	return NULL;
}

static void *heap_try(
	struct thread *thread, size_t alignment, size_t size, struct origin origin, bool zeroed)
{
	return zeroed ? heap_allocate_zeroed(thread, size, origin)
		      : heap_allocate_aligned(thread, alignment, size, origin);
}

static void *allocate(size_t alignment, size_t size, struct origin origin, bool zeroed)
{
	struct thread *thread = thread_here();
	void *block;

	thread->refused = false;
	block = heap_try(thread, alignment, size, origin, zeroed);
	if (__builtin_expect(!block, 0) && is_relieved(thread, size))
		block = heap_try(thread, alignment, size, origin, zeroed);
	return block ? counted(thread, block, size, origin) : exhausted(thread);
}

void *module_allocate_slow(size_t size, struct origin origin)
{
	return allocate(1, size, origin, false);
}

void *module_allocate_zeroed(size_t size, struct origin origin)
{
	return allocate(1, size, origin, true);
}

void *module_allocate_aligned(size_t alignment, size_t size, struct origin origin)
{
	return allocate(alignment, size, origin, false);
}

static void report_bad_free(enum heap_freed how, const void *block, struct origin was, uintptr_t pc)
{
	struct session_place *record;
	char text[19] = "0x";
	uint64_t frame;

	if (!session || thread_self.inside)
		return;
	thread_self.inside++;
	frame = place_frame(pc);
	if (how == HEAP_FREED_LATE) {
		record = session_record(SESSION_PLACES, was.place);
		record->late_frees++;
		record->late_free_frame = frame;
		session_note(SESSION_NOTE_LATE_FREE, record->object, was.place, frame, NULL);
	} else {
		for (int i = 0; i < 16; i++)
			text[2 + i] = "0123456789abcdef"[(uintptr_t)block >> (60 - 4 * i) & 15];
		session_note(SESSION_NOTE_DOUBLE_FREE, 0, 0, frame, text);
	}
	thread_self.inside--;
}

void module_free(void *block, uintptr_t pc)
{
	struct thread *thread = thread_here();
	enum heap_freed how;
	struct origin was;
	int saved;
	size_t size;

	how = heap_free(thread, block, &was, &size);
	if (__builtin_expect(how != HEAP_FREED, 0)) {
		saved = errno;
		report_bad_free(how, block, was, pc);
		errno = saved;
		return;
	}
	if (__builtin_expect(was.place == HEAP_PLACE_LOADER, 0)) {
		if (size >= LOADER_LINK_MAP_LEAST) {
			thread->loading = false;
			objects_link_map_freed(block);
		}
		return;
	}
	place_freed(thread, was.place, size);
}

/*
 * Copies what fits of *from, which may move.  A foreign block is first brought
 * to that size by the allocator that made it: nobody else knows how large it
 * is, and not every one has a malloc_usable_size.  False: no memory for that.
 */
static bool block_copy(void *to, void **from, size_t size)
{
	size_t held = size;
	void *fitted;

	if (heap_owns(*from)) {
		held = heap_usable_size(*from);
	} else if (next_bootstrap_owns(*from)) {
		held = next_bootstrap_size(*from);
	} else {
		fitted = next.realloc(*from, size);
		if (!fitted)
			return false;
		*from = fitted;
	}
	memcpy(to, *from, held < size ? held : size);
	return true;
}

static void block_drop(void *block, uintptr_t pc)
{
	if (heap_owns(block))
		module_free(block, pc);
	else if (!next_bootstrap_owns(block))
		next.free(block);
}

static void *allocate_for(size_t size, struct origin origin)
{
	void *block = origin.place ? module_allocate(size, origin) : NULL;

	return block || (origin.place && !thread_self.refused) ? block : next.malloc(size);
}

void *module_reallocate(void *block, size_t size, struct origin origin, uintptr_t pc)
{
	size_t asked;
	struct origin was = {0};
	struct thread *thread = thread_here();
	void *made;

	if (heap_owns(block))
		was = heap_origin(block, &asked);
	if (was.place && was.place != HEAP_PLACE_LOADER && origin.place && size &&
		heap_resize(thread, block, size, origin)) {
		place_freed(thread, was.place, asked);
		place_allocated(thread, origin.place, size);
		return block;
	}
	if (!was.place && heap_owns(block)) {
		module_free(block, pc); /* says what is wrong with it */
		errno = ENOMEM;
		return NULL;
	}
	made = size || !block ? allocate_for(size, origin) : NULL;
	if (!made && size)
		return NULL;
	if (made && block && size && !block_copy(made, &block, size)) {
		block_drop(made, pc);
		return NULL;
	}
	if (block)
		block_drop(block, pc);
	return made;
}
