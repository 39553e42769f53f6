// SPDX-License-Identifier: MIT
#include "work.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <pthread.h>

#define NOINLINE __attribute__((noinline, noclone))
#define LIVE 10000

static inline void forget(const void *p)
{
	__asm__ volatile("" : : "r"(p) : "memory");
}

#define NOT_A_TAIL_CALL() __asm__ volatile("" : : : "memory")

/* --- the operations --- */

NOINLINE static void pairs(long operations)
{
	for (long i = 0; i < operations; i++) {
		void *p = malloc(64);

		forget(p);
		free(p);
	}
}

/* Each operation frees one of 10,000 live blocks and allocates another. */
NOINLINE static void mixed(long operations)
{
	static __thread void **live;
	static __thread uint64_t state = 88172645463325252u;

	if (!live)
		live = static_cast<void **>(calloc(LIVE, sizeof(*live)));
	for (long i = 0; i < operations; i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		void **slot = &live[state % LIVE];

		free(*slot);
		*slot = malloc(16 + (state >> 32) % 1009);
	}
	NOT_A_TAIL_CALL();
}

NOINLINE static void strings(long operations)
{
	const char *text = "a text of 23 characters";

	__asm__ volatile("" : "+r"(text));
	for (long i = 0; i < operations; i++) {
		char *p = strdup(text);

		forget(p);
		free(p);
	}
}

NOINLINE static void objects(long operations)
{
	for (long i = 0; i < operations; i++) {
		void *p = ::operator new(64);

		forget(p);
		::operator delete(p);
	}
}

/* A mutex of the thread's own: nobody waits. */
NOINLINE static void locks(long operations)
{
	static __thread pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	for (long i = 0; i < operations; i++) {
		pthread_mutex_lock(&mutex);
		pthread_mutex_unlock(&mutex);
	}
}

/* One of sixteen call stacks at each operation, of different depth and frame size. */
template <int N> NOINLINE static void site()
{
	char space[16 * (N % 4 + 1)];
	void *p;

	forget(space);
	p = malloc(64);
	forget(p);
	free(p);
	forget(space);
}

template <int N> NOINLINE static void site_below()
{
	site<N>();
	NOT_A_TAIL_CALL();
}

NOINLINE static void sites(long operations)
{
	typedef void function();
	static function *const functions[16] = {
		site<0>, site_below<1>, site<2>, site_below<3>, site<4>, site_below<5>,
		site<6>, site_below<7>, site<8>, site_below<9>, site<10>, site_below<11>,
		site<12>, site_below<13>, site<14>, site_below<15>,
	};

	for (long i = 0; i < operations; i++)
		functions[i * 7 % 16]();
	NOT_A_TAIL_CALL();
}

/* --- twenty distinct functions above them --- */

template <int N> NOINLINE static void deep(work_function *work, long operations)
{
	if constexpr (N > 0)
		deep<N - 1>(work, operations);
	else
		work(operations);
	NOT_A_TAIL_CALL();
}

#define DEEP(name) \
	static void deep_##name(long operations) { deep<18>(name, operations); NOT_A_TAIL_CALL(); }
DEEP(pairs)
DEEP(mixed)
DEEP(strings)
DEEP(objects)
DEEP(sites)
DEEP(locks)

extern "C" work_function *work_named(const char *name)
{
	static const struct {
		const char *name;
		work_function *work;
	} works[] = {
		{ "pairs", deep_pairs },
		{ "mixed", deep_mixed },
		{ "strings", deep_strings },
		{ "objects", deep_objects },
		{ "sites", deep_sites },
		{ "locks", deep_locks },
	};

	for (const auto &entry : works)
		if (!strcmp(entry.name, name))
			return entry.work;
	return nullptr;
}

static void leak(long blocks)
{
	for (long i = 0; i < blocks; i++) {
		void *p = malloc(64);

		memset(p, 1, 64);
		forget(p);
	}
}

extern "C" void work_leak(long blocks)
{
	deep<18>(leak, blocks);
	NOT_A_TAIL_CALL();
}
