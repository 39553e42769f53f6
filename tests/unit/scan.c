/* SPDX-License-Identifier: MIT */
/*
 * Scanning the stopped world: a word is found wherever a live reference can
 * be, and not found where none can.
 *
 * The words searched for are made up and differ from test to test.  None may
 * lie about by accident, so they are kept inverted and the scan's own state is
 * excluded.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "shim/scan.h"
#include "shim/world-ways.h"

#define ANY ((enum scan_kind)99)
#define RANGE 0x10000u
#define PAGE 4096u

static const unsigned int ways[] = { WORLD_WAY_PTRACE, WORLD_WAY_SIGNAL };

/* All state of a test in one object, which is excluded from the scan. */
static struct {
	struct scan scan;
	struct scan_range excluded[2];
	uintptr_t wanted;		/* inverted */
	size_t count;
	struct scan_place place;	/* the first one */
	struct world_result result;
	uint64_t took;
} test;

static volatile uintptr_t inverted_base = ~0x5a5a12340000ul;
static unsigned int last_offset;

/* A new word nobody has, inverted. */
static uintptr_t new_inverted(void)
{
	last_offset += 16;
	return inverted_base - last_offset;
}

static void found(void *data, uintptr_t word, const struct scan_place *place)
{
	(void)data;
	if (word != ~test.wanted)
		return;
	if (!test.count++)
		test.place = *place;
}

static void look(const struct world *world, void *data)
{
	(void)data;
	scan_memory(&test.scan, world);
}

/* How often the word is found. */
__attribute__((noinline)) static size_t find(unsigned int way, uintptr_t inverted)
{
	struct world_caller caller;

	world_caller_here(&caller);
	test.wanted = inverted;
	test.count = 0;
	test.scan = (struct scan){
		.base = ~inverted_base, .size = RANGE, .found = found,
		.excluded = test.excluded, .excluded_count = 1,
	};
	if (!test.excluded[1].start) {
		test.excluded[0] = (struct scan_range){ (uintptr_t)&test, (uintptr_t)(&test + 1) };
	} else {
		bool before = test.excluded[1].start < (uintptr_t)&test;
		struct scan_range other = test.excluded[1];

		test.excluded[before] = (struct scan_range){ (uintptr_t)&test,
							     (uintptr_t)(&test + 1) };
		test.excluded[!before] = other;
		test.scan.excluded_count = 2;
	}
	ck_assert_msg(world_stop_ways(way, &caller, look, NULL, &test.result), "%s",
		      test.result.why);
	ck_assert_int_eq(test.scan.error, 0);
	return test.count;
}

__attribute__((noinline)) static void put(volatile uintptr_t *at, uintptr_t inverted)
{
	__asm__ volatile("mov %1, %%rax; not %%rax; mov %%rax, %0; xor %%eax, %%eax"
			 : "=m"(*at)
			 : "r"(inverted)
			 : "rax");
}

static void expect(unsigned int way, volatile uintptr_t *at, enum scan_kind kind)
{
	uintptr_t word = new_inverted();

	ck_assert_uint_eq(find(way, word), 0);
	put(at, word);
	ck_assert_uint_eq(find(way, word), 1);
	ck_assert_uint_eq(test.place.address, (uintptr_t)at);
	ck_assert_int_eq(test.place.kind, kind);
	*at = 0;
	ck_assert_uint_eq(find(way, word), 0);
}

static volatile uintptr_t static_cell;
static __thread volatile uintptr_t thread_cell;

START_TEST(test_static_data)
{
	expect(ways[_i], &static_cell, SCAN_MAPPING_PRIVATE);
}
END_TEST

START_TEST(test_heap)
{
	uintptr_t *small = calloc(1, 64), *large = calloc(1, 1 << 20);

	expect(ways[_i], small + 3, SCAN_MAPPING_PRIVATE);
	expect(ways[_i], large + 777, SCAN_MAPPING_PRIVATE);
	free(small);
	free(large);
}
END_TEST

START_TEST(test_excluded)
{
	uintptr_t *block = calloc(1, 64), word = new_inverted();

	put(block + 2, word);
	ck_assert_uint_eq(find(ways[_i], word), 1);
	test.excluded[1] = (struct scan_range){ (uintptr_t)block, (uintptr_t)block + 64 };
	ck_assert_uint_eq(find(ways[_i], word), 0);
	test.excluded[0].start = test.excluded[1].start = 0;
	ck_assert_uint_eq(find(ways[_i], word), 1);
	free(block);
}
END_TEST

START_TEST(test_shared_memory)
{
	uintptr_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	expect(ways[_i], memory + 5, SCAN_MAPPING_SHARED);
	munmap(memory, PAGE);
}
END_TEST

/* What a collector or a host that seals its data has made read-only. */
START_TEST(test_sealed_memory)
{
	uintptr_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t word = new_inverted();

	put(memory + 5, word);
	mprotect(memory, PAGE, PROT_READ);
	ck_assert_uint_eq(find(ways[_i], word), 1);
	ck_assert_uint_eq(test.place.address, (uintptr_t)(memory + 5));
	munmap(memory, PAGE);
}
END_TEST

START_TEST(test_own_stack)
{
	volatile uintptr_t cell = 0;

	expect(ways[_i], &cell, SCAN_STACK);
}
END_TEST

/* What a function that has returned leaves behind. */
__attribute__((noinline)) static void litter(uintptr_t inverted)
{
	volatile uintptr_t cells[2048];
	size_t i;

	for (i = 0; i < 2048; i++)
		cells[i] = 0;
	put(&cells[100], inverted);
}

START_TEST(test_own_dead_stack)
{
	uintptr_t word = new_inverted();

	litter(word);
	ck_assert_uint_eq(find(ways[_i], word), 0);
}
END_TEST

/* In rbx only, which the function that stops the world must keep for its caller. */
START_TEST(test_kept_register)
{
	uintptr_t word = new_inverted(), count;
	unsigned int way = ways[_i];

	__asm__ volatile("mov %[word], %%rbx\n\t"
			 "not %%rbx\n\t"
			 "mov %[word], %%rsi\n\t"
			 "mov %[way], %%edi\n\t"
			 "lea -128(%%rsp), %%rsp\n\t"
			 "mov %%rsp, %%r12\n\t"
			 "and $-16, %%rsp\n\t"
			 "call *%[find]\n\t"
			 "mov %%r12, %%rsp\n\t"
			 "lea 128(%%rsp), %%rsp\n\t"
			 "xor %%ebx, %%ebx"
			 : "=a"(count)
			 : [word] "r"(word), [way] "r"(way), [find] "r"(find)
			 : "rbx", "r12", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			   "memory", "cc");
	ck_assert_uint_ge(count, 1);
	ck_assert_int_eq(test.place.tid, gettid());
}
END_TEST

/* A thread that does one thing and then waits in it. */
enum pose { IN_REGISTER, IN_VECTOR, ON_STACK, ON_DEAD_STACK, IN_SPECIFIC, IN_TLS, POSES };

static struct posing {
	enum pose pose;
	uintptr_t inverted;
	volatile bool ready, end;
	volatile pid_t tid;
	pthread_key_t key;
} posing;

static void pose_wait(void)
{
	posing.ready = true;
	while (!posing.end)
		usleep(1000);
}

static void pose_spin(void)
{
	if (posing.pose == IN_REGISTER)
		__asm__ volatile("mov %[word], %%r13; not %%r13; movb $1, %[ready]\n"
				 "1: pause; cmpb $0, %[end]; je 1b; xor %%r13d, %%r13d"
				 : [ready] "=m"(posing.ready)
				 : [word] "m"(posing.inverted), [end] "m"(posing.end)
				 : "r13", "cc");
	else
		__asm__ volatile("mov %[word], %%rax; not %%rax; movq %%rax, %%xmm9\n\t"
				 "xor %%eax, %%eax; movb $1, %[ready]\n"
				 "1: pause; cmpb $0, %[end]; je 1b; pxor %%xmm9, %%xmm9"
				 : [ready] "=m"(posing.ready)
				 : [word] "m"(posing.inverted), [end] "m"(posing.end)
				 : "rax", "xmm9", "cc");
}

static void *pose_thread(void *data)
{
	volatile uintptr_t cell = 0;

	(void)data;
	posing.tid = gettid();
	switch (posing.pose) {
	case ON_STACK:
		put(&cell, posing.inverted);
		break;
	case ON_DEAD_STACK:
		litter(posing.inverted);
		break;
	case IN_SPECIFIC:
		pthread_setspecific(posing.key, (void *)~posing.inverted);
		break;
	case IN_TLS:
		put(&thread_cell, posing.inverted);
		break;
	default:
		pose_spin();
		return NULL;
	}
	pose_wait();
	cell = 0;
	thread_cell = 0;
	pthread_setspecific(posing.key, NULL);
	return NULL;
}

static size_t find_posing(unsigned int way, enum pose pose, void *stack, size_t stack_size)
{
	pthread_attr_t attributes;
	pthread_t thread;
	size_t count;

	posing.pose = pose;
	posing.inverted = new_inverted();
	posing.ready = posing.end = false;
	pthread_key_create(&posing.key, NULL);
	pthread_attr_init(&attributes);
	if (stack)
		pthread_attr_setstack(&attributes, stack, stack_size);
	ck_assert_int_eq(pthread_create(&thread, &attributes, pose_thread, NULL), 0);
	while (!posing.ready)
		usleep(1000);
	usleep(2000);
	count = find(way, posing.inverted);
	posing.end = true;
	pthread_join(thread, NULL);
	pthread_key_delete(posing.key);
	return count;
}

static const struct {
	enum pose pose;
	size_t least;
	enum scan_kind kind;
} poses[] = {
	{ IN_REGISTER, 1, SCAN_REGISTER }, { IN_VECTOR, 1, SCAN_REGISTER },
	{ ON_STACK, 1, SCAN_STACK },	   { ON_DEAD_STACK, 0, ANY },
	{ IN_SPECIFIC, 1, SCAN_THREAD },   { IN_TLS, 1, SCAN_STACK },
};

START_TEST(test_thread)
{
	size_t pose = (size_t)_i % POSES;
	size_t count = find_posing(ways[_i / POSES], poses[pose].pose, NULL, 0);

	if (!poses[pose].least) {
		ck_assert_uint_eq(count, 0);
		return;
	}
	ck_assert_uint_ge(count, 1);
	ck_assert_int_eq(test.place.kind, poses[pose].kind);
	ck_assert_int_eq(test.place.tid, posing.tid);
	if (pose == IN_VECTOR)
		ck_assert_uint_eq(test.place.reg, 255);
}
END_TEST

/* A stack the host gave, in the middle of other memory. */
START_TEST(test_given_stack)
{
	const size_t size = 256u << 10;
	char *memory = mmap(NULL, 3 * size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t word = new_inverted();

	ck_assert_uint_eq(find_posing(ways[_i], ON_DEAD_STACK, memory + size, size), 0);
	ck_assert_uint_eq(find_posing(ways[_i], ON_STACK, memory + size, size), 1);
	put((uintptr_t *)(void *)(memory + size - 64), word);
	ck_assert_uint_eq(find(ways[_i], word), 1);
	munmap(memory, 3 * size);
}
END_TEST

START_TEST(test_specific_of_first_thread)
{
	uintptr_t word = new_inverted();
	pthread_key_t key;

	pthread_key_create(&key, NULL);
	pthread_setspecific(key, (void *)~word);
	ck_assert_uint_eq(find(ways[_i], word), 1);
	ck_assert_int_eq(test.place.kind, SCAN_THREAD);
	ck_assert_int_eq(test.place.tid, gettid());
	pthread_key_delete(key);
}
END_TEST

/* A terabyte of which one page was ever written: that is found, the rest not touched. */
START_TEST(test_sparse_memory)
{
	const size_t size = 1ul << 40;
	struct rusage before, after;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return;
	getrusage(RUSAGE_SELF, &before);
	expect(ways[_i], (uintptr_t *)(void *)(memory + size / 2 + 8), SCAN_MAPPING_PRIVATE);
	getrusage(RUSAGE_SELF, &after);
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 8192);
	ck_assert_uint_lt(test.scan.bytes, 256u << 20);
	munmap(memory, size);
}
END_TEST

START_TEST(test_sparse_shared_memory)
{
	const size_t size = 4ul << 30;
	struct rusage before, after;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return;
	getrusage(RUSAGE_SELF, &before);
	expect(ways[_i], (uintptr_t *)(void *)(memory + size / 2 + 8), SCAN_MAPPING_SHARED);
	getrusage(RUSAGE_SELF, &after);
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 8192);
	munmap(memory, size);
}
END_TEST

/* Pages past the end of their file cannot be read: the others are. */
START_TEST(test_truncated_file)
{
	int fd = memfd_create("truncated", 0), flags = _i / 2 ? MAP_PRIVATE : MAP_SHARED;
	uintptr_t *memory, word = new_inverted(), *after;
	size_t pages = 16;

	ck_assert_int_eq(ftruncate(fd, (off_t)(pages * PAGE)), 0);
	memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
	after = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	put(memory, word);
	put(after, word);
	ck_assert_int_eq(ftruncate(fd, PAGE), 0);
	ck_assert_uint_eq(find(ways[_i % 2], word), 2);
	munmap(memory, pages * PAGE);
	munmap(after, PAGE);
	close(fd);
}
END_TEST

/* More mappings than any buffer holds. */
START_TEST(test_many_mappings)
{
	const size_t pages = 40000;
	char *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	for (i = 1; i < pages; i += 2)
		if (mprotect(memory + i * PAGE, PAGE, PROT_NONE))
			break;
	ck_assert_uint_gt(i, 2000);
	expect(ways[_i], (uintptr_t *)(void *)(memory + (i - 3) * PAGE), SCAN_MAPPING_PRIVATE);
	munmap(memory, pages * PAGE);
}
END_TEST

START_TEST(test_words)
{
	uintptr_t words[67] = { 0 };
	struct scan_place place = { .kind = SCAN_STACK };
	size_t i;

	test.scan = (struct scan){ .base = 0x1000, .size = 0x100, .found = found };
	for (i = 0; i < 67; i++) {
		test.count = 0;
		test.wanted = ~0x10fful;
		words[i] = 0x10ff;
		scan_words(&test.scan, words, words + 67, &place);
		ck_assert_uint_eq(test.count, 1);
		ck_assert_uint_eq(test.place.address, (uintptr_t)&words[i]);
		words[i] = 0x1100;
		test.wanted = ~0x1100ul;
		scan_words(&test.scan, words, words + 67, &place);
		ck_assert_uint_eq(test.count, 1);
		words[i] = 0xfff;
	}
}
END_TEST

static size_t words_found;

static void count_word(void *data, uintptr_t word, const struct scan_place *place)
{
	(void)data;
	(void)word;
	(void)place;
	words_found++;
}

/* Ranges begin and end anywhere in a page, and addresses may be far from each other. */
START_TEST(test_two_ranges)
{
	static const struct {
		uintptr_t word;
		bool inside;
	} cases[] = {
		{ 0x7e0000001230, true }, { 0x7e000000122f, false }, { 0x7e0000001330, false },
		{ 0x7e000000132f, true }, { 0x7f1234565ff8, false }, { 0x7f1234566000, true },
		{ 0x7f1234765fff, true }, { 0x7f1234766000, false },
		/* the same page number modulo 2^32 */
		{ 0x7e0000001230 ^ 1ul << 44, false }, { 0x7f1234566000 ^ 1ul << 46, false },
		{ 0x7f1234566000 | 1ul << 63, false }, { 0, false }, { UINTPTR_MAX, false },
	};
	struct scan two = {
		.base = 0x7e0000001230, .size = 0x100,
		.other_base = 0x7f1234566000, .other_size = 0x200000,
		.found = count_word,
	};
	uintptr_t words[49];
	struct scan_place place = { .kind = SCAN_STACK };
	size_t i, k;

	for (k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		for (i = 0; i < 49; i++) {
			memset(words, 0, sizeof(words));
			words[i] = cases[k].word;
			words_found = 0;
			scan_words(&two, words, words + 49, &place);
			ck_assert_uint_eq(words_found, cases[k].inside);
		}
	/* no range at all */
	two.size = two.other_size = 0;
	words[0] = two.base;
	words[1] = two.other_base;
	words_found = 0;
	scan_words(&two, words, words + 49, &place);
	ck_assert_uint_eq(words_found, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scan");
	TCase *finds = tcase_create("finds");
	SRunner *runs = srunner_create(suite);

	tcase_set_timeout(finds, 120);
	tcase_add_test(finds, test_words);
	tcase_add_test(finds, test_two_ranges);
	tcase_add_loop_test(finds, test_static_data, 0, 2);
	tcase_add_loop_test(finds, test_heap, 0, 2);
	tcase_add_loop_test(finds, test_excluded, 0, 2);
	tcase_add_loop_test(finds, test_shared_memory, 0, 2);
	tcase_add_loop_test(finds, test_sealed_memory, 0, 2);
	tcase_add_loop_test(finds, test_own_stack, 0, 2);
	tcase_add_loop_test(finds, test_own_dead_stack, 0, 2);
	tcase_add_loop_test(finds, test_kept_register, 0, 2);
	tcase_add_loop_test(finds, test_thread, 0, 2 * POSES);
	tcase_add_loop_test(finds, test_given_stack, 0, 2);
	tcase_add_loop_test(finds, test_specific_of_first_thread, 0, 2);
	tcase_add_loop_test(finds, test_sparse_memory, 0, 2);
	tcase_add_loop_test(finds, test_sparse_shared_memory, 0, 2);
	tcase_add_loop_test(finds, test_truncated_file, 0, 4);
	tcase_add_loop_test(finds, test_many_mappings, 0, 2);
	suite_add_tcase(suite, finds);
	srunner_set_tap(runs, "-");
	srunner_run_all(runs, CK_SILENT);
	srunner_free(runs);
	return 0;
}
