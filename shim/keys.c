/* SPDX-License-Identifier: MIT */
/*
 * A module's keys.  Its destructors are called by stubs of ours, by the number
 * of a slot: so none is called after the slot was given up, not even by a
 * thread that is in the midst of its key destructors and has read the stub's
 * address already.  Slots are handed out in turn, so that it is long before
 * another key has the same stub.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/generation.h"
#include "shim/keys.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/thread-locals.h"
#include "shim/thread.h"

#define SLOTS 1024u	   /* stubs; as many as there are keys */
#define KEYS_STUB_SIZE 16u /* bytes, see keys-x86_64.S */
#define KEYS PTHREAD_KEYS_MAX
#define BLOCK_KEYS 32u /* of the C library's blocks of values */

_Static_assert(SLOTS >= KEYS, "a slot for each key");

struct key_slot {
	_Atomic(uint32_t) generation; /* slot; 0: not in use */
	unsigned int key;
	void (*destructor)(void *);
};

/* A value as the C library keeps it: for the key that had that number then. */
struct key_value {
	uintptr_t sequence;
	void *value;
};

void keys_stubs(void *value);
void keys_destroy(void *value, unsigned int number);

static struct key_slot slots[SLOTS];
static _Atomic(uint16_t) slot_of[KEYS]; /* its number + 1; 0: not a module's key */
static _Atomic(uint32_t) keys_live;

/* Free slots, the longest free first. */
static uint16_t ring[SLOTS];
static uint32_t ring_first, ring_count, slots_fresh;
static struct lock ring_lock;

/* Deleted keys: what threads have of them, or of earlier ones of that number, is void. */
static uintptr_t stale_sequence[KEYS];
static unsigned int stale_end;
static size_t table_offset; /* in struct pthread; 0: not known */

/* A number, or SLOTS. */
static unsigned int slot_take(void)
{
	unsigned int number = SLOTS;

	if (!lock_take(&ring_lock))
		return SLOTS;
	if (slots_fresh < SLOTS) {
		number = slots_fresh++;
	} else if (ring_count) {
		number = ring[ring_first];
		ring_first = (ring_first + 1) % SLOTS;
		ring_count--;
	}
	lock_give(&ring_lock);
	return number;
}

static void slot_give(unsigned int number)
{
	if (!lock_take(&ring_lock))
		return;
	ring[(ring_first + ring_count++) % SLOTS] = (uint16_t)number;
	lock_give(&ring_lock);
}

static struct key_slot *slot_of_key(unsigned int key)
{
	unsigned int number = atomic_load(&slot_of[key]);

	return number ? &slots[number - 1] : NULL;
}

struct key_call {
	const struct key_slot *slot;
	uint32_t generation;
};

static bool is_live(const void *data)
{
	const struct key_call *call = data;

	return atomic_load(&call->slot->generation) == call->generation;
}

__attribute__((used)) void keys_destroy(void *value, unsigned int number)
{
	const struct key_slot *slot = &slots[number];
	struct key_call call = {slot, atomic_load(&slot->generation)};
	void (*destructor)(void *) = slot->destructor;
	unsigned int key = slot->key;

	if (call.generation)
		thread_locals_call((uint16_t)call.generation, destructor, value, is_live, &call);
	thread_key_done(key);
}

/*
 * Whose key it is: by the code that makes it, by the destructor, or by where
 * its number goes.  Not by the stack: what a runtime library makes for itself,
 * once, on a module's first call, stays with the library.
 */
static uint16_t owner_of(uintptr_t caller, uintptr_t destructor, uintptr_t key)
{
	uint16_t generation;

	if (__builtin_expect(!__atomic_load_n(&generation_alive, __ATOMIC_RELAXED), 1))
		return 0;
	generation = generation_of(caller - 1);
	if (!generation && destructor)
		generation = generation_of(destructor);
	return generation ? generation : generation_of(key);
}

static int key_make(uint16_t generation, unsigned int *key, void (*destructor)(void *),
	int (*create)(void *, void (*)(void *)))
{
	unsigned int number = generation ? slot_take() : SLOTS;
	void (*stub)(void *) = NULL;
	int result;

	if (number == SLOTS)
		return create(key, destructor);
	if (destructor)
		stub = (void (*)(void *))((uintptr_t)keys_stubs + number * KEYS_STUB_SIZE);
	result = create(key, stub);
	if (result || *key >= KEYS) {
		slot_give(number);
		return result;
	}
	slots[number].key = *key;
	slots[number].destructor = destructor;
	atomic_store(&slots[number].generation, generation);
	atomic_store(&slot_of[*key], (uint16_t)(number + 1));
	atomic_fetch_add(&keys_live, 1);
	return 0;
}

RELIB_EXPORT int pthread_key_create(pthread_key_t *key, void (*destructor)(void *))
{
	if (!next_ready() || !next.pthread_key_create)
		return EAGAIN;
	return key_make(owner_of((uintptr_t)__builtin_return_address(0), (uintptr_t)destructor,
				(uintptr_t)key),
		key, destructor, next.pthread_key_create);
}

RELIB_EXPORT int tss_create(tss_t *key, tss_dtor_t destructor)
{
	if (!next_ready() || !next.tss_create)
		return thrd_error;
	return key_make(owner_of((uintptr_t)__builtin_return_address(0), (uintptr_t)destructor,
				(uintptr_t)key),
		key, destructor, next.tss_create);
}

/* Where the thread of that descriptor has its value of the key; NULL: nowhere yet. */
static struct key_value *value_of(uintptr_t thread, unsigned int key)
{
	struct key_value *const *blocks = (struct key_value *const *)(thread + table_offset);

	return blocks[key / BLOCK_KEYS] ? blocks[key / BLOCK_KEYS] + key % BLOCK_KEYS : NULL;
}

/* The code that asks is pthread_setspecific's, which is not long. */
bool keys_is_block(size_t nmemb, size_t size, uintptr_t pc)
{
	return nmemb == BLOCK_KEYS && size == sizeof(struct key_value) &&
	       pc - (uintptr_t)pthread_setspecific < 1024;
}

/*
 * The first block of values lies in struct pthread itself, right before the
 * table of all blocks, whose first entry therefore points to it: nothing else
 * there looks like that.
 */
static void table_find(uintptr_t thread)
{
	const size_t block = BLOCK_KEYS * sizeof(struct key_value);

	for (size_t at = block; at < ARCH_THREAD_ABOVE; at += sizeof(uintptr_t))
		if (*(const uintptr_t *)(thread + at) == thread + at - block) {
			table_offset = at;
			return;
		}
}

/* Right before the key is deleted.  What is found is proved by a value of ours. */
static void stale_note(unsigned int key)
{
	static const char mark;
	uintptr_t thread = (uintptr_t)pthread_self();
	const struct key_value *found;

	if (!table_offset)
		table_find(thread);
	if (!table_offset || pthread_setspecific(key, &mark))
		return;
	found = value_of(thread, key);
	if (found && found->value == &mark) {
		stale_sequence[key] = found->sequence;
		if (key >= stale_end)
			stale_end = key + 1;
	}
	pthread_setspecific(key, NULL);
}

/* Before the C library deletes it: from then on another may have its number. */
static bool key_forget(unsigned int key)
{
	unsigned int number = key < KEYS ? atomic_exchange(&slot_of[key], 0) : 0;
	int saved = errno;

	if (!number)
		return false;
	thread_self.inside++;
	atomic_store(&slots[number - 1].generation, 0);
	atomic_fetch_sub(&keys_live, 1);
	stale_note(key);
	slot_give(number - 1);
	thread_self.inside--;
	errno = saved;
	return true;
}

RELIB_EXPORT int pthread_key_delete(pthread_key_t key)
{
	if (!next_ready() || !next.pthread_key_delete)
		return EINVAL;
	key_forget(key);
	return next.pthread_key_delete(key);
}

RELIB_EXPORT void tss_delete(tss_t key)
{
	if (!next_ready() || !next.tss_delete)
		return;
	key_forget(key);
	next.tss_delete(key);
}

static bool key_run(unsigned int key, uint16_t generation)
{
	const struct key_slot *slot = slot_of_key(key);
	void *value;

	if (!slot || atomic_load(&slot->generation) != generation || !slot->destructor)
		return false;
	value = pthread_getspecific(key);
	if (!value)
		return false;
	pthread_setspecific(key, NULL);
	slot->destructor(value);
	return true;
}

uint32_t keys_run(uint16_t generation)
{
	uint32_t count = 0, before;
	unsigned int round = 0;

	if (!atomic_load(&keys_live))
		return 0;
	do {
		before = count;
		for (unsigned int key = 0; key < KEYS; key++)
			count += key_run(key, generation);
	} while (count != before && ++round < PTHREAD_DESTRUCTOR_ITERATIONS);
	return count;
}

uint32_t keys_delete(uint16_t generation)
{
	uint32_t count = 0;

	for (unsigned int key = 0; key < KEYS && atomic_load(&keys_live); key++) {
		const struct key_slot *slot = slot_of_key(key);

		if (!slot || atomic_load(&slot->generation) != generation || !key_forget(key))
			continue;
		next.pthread_key_delete(key);
		count++;
	}
	return count;
}

bool keys_follow(unsigned int after)
{
	if (!atomic_load(&keys_live))
		return false;
	for (unsigned int key = after + 1; key < KEYS; key++) {
		const struct key_slot *slot = slot_of_key(key);

		if (slot && slot->destructor && pthread_getspecific(key))
			return true;
	}
	return false;
}

static size_t stale_find(uintptr_t thread, struct scan_range *ranges, size_t most)
{
	volatile size_t count = 0;
	struct fault_guard guard;

	/* a thread that libc did not make: its thread pointer may be anything */
	if (fault_caught(&guard))
		return count;
	for (unsigned int key = 0; key < stale_end && count < most; key++) {
		const struct key_value *kept = stale_sequence[key] ? value_of(thread, key) : NULL;

		if (!kept || !kept->value || kept->sequence > stale_sequence[key])
			continue;
		ranges[count].start = (uintptr_t)&kept->value;
		ranges[count].end = (uintptr_t)(&kept->value + 1);
		count++;
	}
	fault_leave(&guard);
	return count;
}

size_t keys_stale(const struct world *world, struct scan_range *ranges, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; stale_end && i < world->thread_count; i++)
		if (world->threads[i].tp)
			count += stale_find(world->threads[i].tp, ranges + count, most - count);
	return count;
}

void keys_fork_child(void)
{
	ring_lock.owner = 0;
}
