/* SPDX-License-Identifier: MIT */
#include "shim/open-streams.h"

#include <stdint.h>
#include <time.h>

#include "shim/objects.h"
#include "shim/sys.h"

#define TRIES 50 /* of a millisecond each */
#define CANDIDATES_MOST 8u

/* Public symbols of glibc without a header any more. */
extern void *_IO_iter_begin(void) __attribute__((weak));
extern void *_IO_iter_end(void) __attribute__((weak));
extern void *_IO_iter_next(void *at) __attribute__((weak));
extern FILE *_IO_iter_file(void *at) __attribute__((weak));
extern void _IO_list_lock(void) __attribute__((weak));
extern void _IO_list_unlock(void) __attribute__((weak));

/* What glibc's locks of streams are; owner: a thread pointer. */
struct list_lock {
	int word; /* 0: free, 1: taken, 2: and waited for */
	int count;
	uintptr_t owner;
};

static struct list_lock *list_lock; /* NULL: not known */
static int first_count;		    /* of a lock that is taken once: 0 or 1, by version */
static bool refused;

static bool has_list(void)
{
	return _IO_iter_begin && _IO_iter_end && _IO_iter_next && _IO_iter_file && _IO_list_lock &&
	       _IO_list_unlock;
}

static bool is_mine(const struct list_lock *lock)
{
	return __atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == arch_thread_pointer();
}

/* Those of the C library that the calling thread holds, in one segment. */
static size_t candidates_find(
	uintptr_t start, uintptr_t end, struct list_lock **candidates, size_t count)
{
	for (start = (start + 7) & ~(uintptr_t)7; start + sizeof(struct list_lock) <= end;
		start += 8) {
		struct list_lock *lock = (struct list_lock *)start;

		if (is_mine(lock) && lock->word && (unsigned int)lock->count <= 1 &&
			count < CANDIDATES_MOST)
			candidates[count++] = lock;
	}
	return count;
}

/* It is the one that is taken when the list is, and free when it is not. */
void open_streams_learn(void)
{
	static bool begun;
	struct list_lock *candidates[CANDIDATES_MOST], *found = NULL;
	int counts[CANDIDATES_MOST];
	const struct object *library;
	size_t count = 0;

	if (__atomic_load_n(&begun, __ATOMIC_RELAXED) || !has_list() ||
		__atomic_exchange_n(&begun, true, __ATOMIC_RELAXED))
		return;
	library = object_of((uintptr_t)_IO_list_lock);
	_IO_list_lock();
	for (unsigned int i = 0; library && i < library->phnum; i++) {
		const ElfW(Phdr) *part = &library->phdr[i];
		uintptr_t start = library->bias + part->p_vaddr;

		if (part->p_type == PT_LOAD && part->p_flags & PF_W)
			count = candidates_find(start, start + part->p_memsz, candidates, count);
	}
	for (size_t i = 0; i < count; i++)
		counts[i] = candidates[i]->count;
	_IO_list_unlock();
	for (size_t i = 0; i < count; i++) {
		if (is_mine(candidates[i]))
			continue;
		if (found)
			return;
		found = candidates[i];
		first_count = counts[i];
	}
	__atomic_store_n(&list_lock, found, __ATOMIC_RELEASE);
}

static bool list_try(struct list_lock *lock)
{
	int free = 0;

	if (is_mine(lock)) {
		_IO_list_lock();
		return true;
	}
	if (!__atomic_compare_exchange_n(
		    &lock->word, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	lock->count = first_count;
	__atomic_store_n(&lock->owner, arch_thread_pointer(), __ATOMIC_RELAXED);
	return true;
}

/* Who was refused once is not kept waiting for each stream of many. */
bool open_streams_lock(void)
{
	struct list_lock *lock = __atomic_load_n(&list_lock, __ATOMIC_ACQUIRE);
	const struct timespec pause = {.tv_nsec = 1000000};
	bool taken;

	if (!has_list())
		return true;
	if (!lock) {
		_IO_list_lock();
		return true;
	}
	taken = list_try(lock);
	for (int i = 0; !taken && !refused && i < TRIES; i++) {
		sys_call(SYS_nanosleep, &pause, NULL, 0);
		taken = list_try(lock);
	}
	refused = !taken;
	return taken;
}

void open_streams_unlock(void)
{
	if (has_list())
		_IO_list_unlock();
}

bool open_streams_each(bool (*visit)(FILE *stream, void *data), void *data, bool unknown)
{
	bool found = false;

	if (!has_list())
		return false;
	if (!open_streams_lock())
		return unknown;
	for (void *at = _IO_iter_begin(); at != _IO_iter_end() && !found; at = _IO_iter_next(at))
		found = visit(_IO_iter_file(at), data);
	open_streams_unlock();
	return found;
}

static bool is_same(FILE *stream, void *data)
{
	return stream == data;
}

bool open_streams_have(const void *stream)
{
	return open_streams_each(is_same, (void *)stream, true);
}
