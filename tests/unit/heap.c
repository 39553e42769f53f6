/* SPDX-License-Identifier: MIT */
/*
 * The module heap by itself: blocks are whole, aligned, apart from each other,
 * zeroed where that is asked for, and given back.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim/heap-fast.h"
#include "shim/thread.h"
#include "tests/unit/suite.h"

#define BLOCKS 512
#define ROUNDS 30000

static const struct origin origin = {.place = 7, .generation = 3};

/* The heap is alone here: no session, no stacks. */
__thread struct thread thread_self;

void thread_set_up(struct thread *thread)
{
	thread->set_up = true;
	thread->cache = calloc(1, heap_cache_size());
	heap_cache_begin(thread->cache);
}

struct held {
	unsigned char *block;
	size_t size;
	unsigned char byte;
};

static size_t any_size(unsigned int *seed)
{
	unsigned int kind = (unsigned int)rand_r(seed) % 100;
	size_t most = kind < 80 ? 1024 : kind < 97 ? 50000 : 3000000;

	return (size_t)rand_r(seed) % most;
}

/* Not an assertion per byte, which would take most of the time. */
static bool is_all(const unsigned char *block, size_t size, unsigned char byte)
{
	return !size || (block[0] == byte && !memcmp(block, block + 1, size - 1));
}

static void held_free(struct held *held)
{
	struct origin was;
	size_t asked;

	ck_assert(is_all(held->block, held->size, held->byte));
	ck_assert_int_eq(heap_free(thread_here(), held->block, &was, &asked), HEAP_FREED);
	ck_assert_uint_eq(asked, held->size);
	ck_assert_uint_eq(was.place, origin.place);
	held->block = NULL;
}

static void held_make(struct held *held, unsigned int *seed)
{
	size_t alignment = (size_t)16 << rand_r(seed) % 14;

	held->size = any_size(seed);
	held->byte = (unsigned char)rand_r(seed);
	switch (rand_r(seed) % 3) {
	case 0:
		held->block = heap_allocate(thread_here(), held->size, origin);
		break;
	case 1:
		held->block = heap_allocate_aligned(thread_here(), alignment, held->size, origin);
		ck_assert_uint_eq((uintptr_t)held->block % alignment, 0);
		break;
	default:
		held->block = heap_allocate_zeroed(thread_here(), held->size, origin);
		ck_assert(is_all(held->block, held->size, 0));
	}
	ck_assert_ptr_nonnull(held->block);
	ck_assert(heap_owns(held->block) && heap_usable_size(held->block) >= held->size);
	memset(held->block, held->byte, held->size);
}

static void *any_calls(void *number)
{
	struct held held[BLOCKS] = {{NULL, 0, 0}};
	unsigned int seed = (unsigned int)(uintptr_t)number;

	for (int i = 0; i < ROUNDS; i++) {
		struct held *one = &held[rand_r(&seed) % BLOCKS];

		if (one->block)
			held_free(one);
		else
			held_make(one, &seed);
	}
	for (int i = 0; i < BLOCKS; i++)
		if (held[i].block)
			held_free(&held[i]);
	heap_cache_end(thread_here()->cache);
	free(thread_self.cache);
	thread_self = (struct thread){.cache = NULL};
	return NULL;
}

static void live_count(struct span *span, void *data)
{
	for (uint32_t index = 0; index < span->count; index++)
		*(size_t *)data += span->meta[index].place != 0;
}

START_TEST(any_calls_by_threads)
{
	pthread_t threads[3];
	size_t live = 0;

	for (uintptr_t i = 0; i < 3; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, any_calls, (void *)(i + 1)), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	heap_walk(true, live_count, &live);
	ck_assert_uint_eq(live, 0);
}
END_TEST

START_TEST(absurd_sizes)
{
	for (size_t size = SIZE_MAX; size > SIZE_MAX - 200000; size -= 999) {
		ck_assert_ptr_null(heap_allocate(thread_here(), size, origin));
		ck_assert_ptr_null(heap_allocate_aligned(thread_here(), 4096, size, origin));
	}
	ck_assert_ptr_null(heap_allocate(thread_here(), (size_t)1 << 42, origin));
	ck_assert_ptr_null(heap_allocate_aligned(thread_here(), (size_t)1 << 62, 1, origin));
}
END_TEST

START_TEST(freed_twice)
{
	unsigned char *small = heap_allocate(thread_here(), 100, origin);
	unsigned char *large = heap_allocate(thread_here(), 100000, origin);
	struct origin was;
	size_t asked;

	ck_assert_int_eq(heap_free(thread_here(), small + 16, &was, &asked), HEAP_FREED_TWICE);
	ck_assert_int_eq(heap_free(thread_here(), large + 65536, &was, &asked), HEAP_FREED_TWICE);
	ck_assert_int_eq(heap_free(thread_here(), small, &was, &asked), HEAP_FREED);
	ck_assert_int_eq(heap_free(thread_here(), large, &was, &asked), HEAP_FREED);
	ck_assert_int_eq(heap_free(thread_here(), small, &was, &asked), HEAP_FREED_TWICE);
	ck_assert_int_eq(heap_free(thread_here(), large, &was, &asked), HEAP_FREED_TWICE);
}
END_TEST

static bool is_over(uint16_t era)
{
	return era == 1;
}

START_TEST(quarantine)
{
	unsigned char *block = heap_allocate(thread_here(), 300000, origin);
	struct span *span = heap_span((uintptr_t)block);
	struct origin was;
	size_t asked;

	memset(block, 1, 300000);
	heap_quarantine(span, 0, 2);
	heap_tidy(is_over);
	ck_assert_int_eq(heap_free(thread_here(), block, &was, &asked), HEAP_FREED_LATE);
	ck_assert_uint_eq(block[5000], 0);
	heap_quarantine(span, 0, 1);
	heap_tidy(is_over);
	ck_assert_int_eq(heap_free(thread_here(), block, &was, &asked), HEAP_FREED_TWICE);
}
END_TEST

START_TEST(limited)
{
	uintptr_t ranges[HEAP_RANGES][2];
	unsigned char *block = heap_allocate(thread_here(), 5000000, origin);
	size_t all = 0;

	memset(block, 9, 5000000);
	heap_limit((size_t)1 << 30);
	ck_assert_uint_eq(heap_ranges(ranges), HEAP_RANGES);
	for (unsigned int i = 0; i < HEAP_RANGES; i++)
		all += ranges[i][1] - ranges[i][0];
	ck_assert_uint_le(all, (size_t)1 << 30);
	ck_assert_uint_eq(block[4999999], 9);
	ck_assert_ptr_nonnull(heap_allocate(thread_here(), 100000000, origin));
	ck_assert_ptr_null(heap_allocate(thread_here(), (size_t)1 << 30, origin));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("heap");

	alarm(120);
	/* first: nothing is reserved yet */
	suite_test(suite, absurd_sizes);
	suite_test(suite, any_calls_by_threads);
	suite_test(suite, freed_twice);
	suite_test(suite, quarantine);
	suite_test(suite, limited);
	return suite_run(suite);
}
