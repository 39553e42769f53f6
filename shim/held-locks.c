/* SPDX-License-Identifier: MIT */
#include "shim/held-locks.h"

#include <errno.h>
#include <pthread.h>

#include "shim/arena.h"
#include "shim/balances.h"
#include "shim/heap.h"
#include "shim/ledger.h"
#include "shim/lock-words.h"
#include "shim/look.h"
#include "shim/maps.h"
#include "shim/roots.h"
#include "shim/session.h"
#include "shim/settle.h"
#include "shim/sys.h"
#include "shim/text.h"

#define TEXT_SIZE 96
#define TABLES_LEAST 64u

static struct held_locks *tables; /* all; only ever added to, at its head */
static struct held_locks *spare;
static struct lock spare_lock;
static uint32_t tables_made;

/* --- one entry ----------------------------------------------------------- */

static uint32_t balance_of(uint64_t what)
{
	return (uint32_t)what;
}

/* Takes the entry out, if it is still what it was: who does counts it. */
static bool entry_claim(struct held_lock *entry, uint64_t what)
{
	return __atomic_compare_exchange_n(
		&entry->what, &what, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool entry_give_back(struct held_lock *entry, uint64_t what)
{
	struct balance_spot spot = entry->spot;
	uint64_t leftover;

	if (!entry_claim(entry, what))
		return false;
	leftover = __atomic_load_n(&entry->leftover, __ATOMIC_ACQUIRE);
	balance_spot_give_back(spot);
	if (__builtin_expect(leftover >> 32 == what >> 32, 0))
		leftover_state((uint32_t)leftover, SESSION_GIVEN_BACK);
	return true;
}

/* A copy of an entry that others may be changing.  False: there is nothing. */
static bool entry_read(const struct held_lock *entry, struct held_lock *copy)
{
	uint64_t what = __atomic_load_n(&entry->what, __ATOMIC_ACQUIRE);

	if (!what)
		return false;
	*copy = *(const volatile struct held_lock *)entry;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	copy->what = what;
	return __atomic_load_n(&entry->what, __ATOMIC_RELAXED) == what;
}

/* --- the tables ---------------------------------------------------------- */

static void table_trim(struct held_locks *table)
{
	uint32_t count = table->count;

	while (count && !__atomic_load_n(&table->entry[count - 1].what, __ATOMIC_RELAXED))
		count--;
	table->count = count;
}

/* Nothing is in it, and no thread has it. */
static void table_give(struct held_locks *table)
{
	table->count = 0;
	__atomic_store_n(&table->tid, 0, __ATOMIC_RELAXED);
	if (!lock_take(&spare_lock))
		return;
	table->spare = spare;
	spare = table;
	lock_give(&spare_lock);
}

static struct held_locks *table_spare(void)
{
	struct held_locks *table = NULL;

	if (lock_take(&spare_lock)) {
		table = spare;
		if (table)
			spare = table->spare;
		lock_give(&spare_lock);
	}
	return table;
}

/* Of a thread that is over: when nothing of it is locked any more, it is spare. */
static void table_reclaim(struct held_locks *table)
{
	struct held_lock copy;
	bool ended = true;

	/* one at a time */
	if (!__atomic_compare_exchange_n(
		    &table->ended, &ended, false, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	for (uint32_t i = 0; i < table->count; i++)
		if (entry_read(&table->entry[i], &copy) && !lock_is_held(&copy))
			entry_give_back(&table->entry[i], copy.what);
	table_trim(table);
	if (table->count)
		__atomic_store_n(&table->ended, true, __ATOMIC_RELEASE);
	else
		table_give(table);
}

/*
 * Where threads lock for others to unlock, and end before that, their tables
 * must not pile up.  The time for it is in proportion to those that there are.
 */
static void tables_reclaim(void)
{
	static uint32_t limit = TABLES_LEAST;
	uint32_t made = __atomic_load_n(&tables_made, __ATOMIC_RELAXED), spares = 0;

	if (made < __atomic_load_n(&limit, __ATOMIC_RELAXED))
		return;
	for (struct held_locks *table = __atomic_load_n(&tables, __ATOMIC_ACQUIRE); table;
		table = table->next) {
		table_reclaim(table);
		spares += !__atomic_load_n(&table->tid, __ATOMIC_RELAXED);
	}
	if (spares < made / 2)
		__atomic_store_n(&limit, 2 * made, __ATOMIC_RELAXED);
}

static struct held_locks *table_take(void)
{
	struct held_locks *table = table_spare();

	if (!table) {
		tables_reclaim();
		table = table_spare();
	}
	if (!table) {
		table = arena_take(sizeof(*table));
		if (!table)
			return NULL;
		__atomic_fetch_add(&tables_made, 1, __ATOMIC_RELAXED);
		table->next = __atomic_load_n(&tables, __ATOMIC_RELAXED);
		while (!__atomic_compare_exchange_n(
			&tables, &table->next, table, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			;
	}
	__atomic_store_n(&table->tid, lock_self(), __ATOMIC_RELAXED);
	return table;
}

/* Of a full table: an entry that is not in use, or not true any more.  NULL: there is none. */
static struct held_lock *table_search(struct held_locks *table)
{
	struct held_lock *found = NULL, copy;

	for (uint32_t i = 0; i < HELD_LOCKS_MOST; i++) {
		struct held_lock *entry = &table->entry[i];

		if (entry_read(entry, &copy) && !lock_is_held(&copy))
			entry_give_back(entry, copy.what);
		if (!__atomic_load_n(&entry->what, __ATOMIC_RELAXED))
			found = entry;
	}
	return found;
}

/*
 * The thread has it now, so what it had of it before is over, if that cannot
 * be at the same time: another thread unlocked it.
 */
static void table_supersede(
	struct held_locks *table, uintptr_t lock, enum held_lock_kind kind, bool recursive)
{
	for (uint32_t i = 0; i < table->count; i++) {
		struct held_lock *entry = &table->entry[i];
		uint64_t what = __atomic_load_n(&entry->what, __ATOMIC_RELAXED);

		if (what && entry->lock == lock && !recursive &&
			(kind != HELD_READ || entry->kind != HELD_READ))
			entry_give_back(entry, what);
	}
}

/* Counts one more that origin acquired; NULL: it cannot be recorded. */
static const struct lock_place *place_acquire(struct held_locks *table, struct origin origin)
{
	uint32_t epoch = __atomic_load_n(&objects_epoch, __ATOMIC_RELAXED);
	struct lock_place *place = &table->place[origin.place % LOCK_PLACES];

	if (place->place == origin.place && place->generation == origin.generation &&
		place->epoch == epoch && place->balance && !session_is_forked()) {
		balance_spot_acquire(place->spot);
		return place;
	}
	*place = (struct lock_place){
		.place = origin.place, .epoch = epoch, .generation = origin.generation};
	place->balance = balance_acquire(origin, SESSION_MUTEX, 0);
	if (!place->balance)
		return NULL;
	place->spot = balance_spot(place->balance);
	return place;
}

static void entry_fill(struct held_locks *table, struct held_lock *entry, uint32_t balance)
{
	if (!++table->number)
		table->number = 1;
	__atomic_store_n(&entry->what, (uint64_t)table->number << 32 | balance, __ATOMIC_RELEASE);
	if (entry == &table->entry[table->count])
		table->count++;
}

static bool is_recursive(const void *lock, enum held_lock_kind kind)
{
	const pthread_mutex_t *mutex = lock;

	return kind == HELD_MUTEX && (mutex->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE_NP;
}

void held_locks_add(
	void *lock, enum held_lock_kind kind, struct origin origin, const struct caller *caller)
{
	struct thread *thread = &thread_self;
	struct held_locks *table = thread->locks;
	const struct lock_place *place = NULL;
	struct held_lock *entry;
	int saved = errno;

	if (thread->ending || thread->vforked)
		return;
	thread->inside++;
	if (!table)
		table = thread->locks = table_take();
	if (table && table->count)
		table_supersede(table, (uintptr_t)lock, kind, is_recursive(lock, kind));
	entry = !table				 ? NULL
		: table->count < HELD_LOCKS_MOST ? &table->entry[table->count]
						 : table_search(table);
	if (entry)
		place = place_acquire(table, origin);
	if (place) {
		entry->lock = (uintptr_t)lock;
		entry->spot = place->spot;
		entry->sp = caller->sp;
		entry->tid = lock_self();
		entry->kind = (uint8_t)kind;
		entry_fill(table, entry, place->balance);
	}
	thread->inside--;
	errno = saved;
}

void held_locks_remove(void *lock)
{
	struct held_locks *table = thread_self.locks;

	for (uint32_t i = table->count; i-- > 0;) {
		struct held_lock *entry = &table->entry[i];
		uint64_t what = __atomic_load_n(&entry->what, __ATOMIC_RELAXED);

		if (what && entry->lock == (uintptr_t)lock && entry_give_back(entry, what))
			break;
	}
	/* not in a signal handler that interrupted the adding of one */
	if (!thread_self.inside)
		table_trim(table);
}

/*
 * What was locked on the thread's own stack, which lies between its stack
 * pointer and its descriptor, is nobody's problem from now on.
 */
void held_locks_thread_over(struct thread *thread)
{
	struct held_locks *table = thread->locks;
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), top = arch_thread_pointer();

	if (!table)
		return;
	thread->locks = NULL;
	for (uint32_t i = 0; i < table->count; i++) {
		struct held_lock *entry = &table->entry[i];
		uint64_t what = __atomic_load_n(&entry->what, __ATOMIC_RELAXED);

		if (what && entry->lock > here && entry->lock < top)
			entry_give_back(entry, what);
	}
	table_trim(table);
	if (table->count)
		__atomic_store_n(&table->ended, true, __ATOMIC_RELEASE);
	else
		table_give(table);
}

/* --- at an unload -------------------------------------------------------- */

/* A thread's stack is the mapping that its stack pointer is in. */
static bool is_on_stack(uintptr_t address, uintptr_t sp)
{
	char buffer[8192];
	struct mapping mapping;
	struct maps maps;
	bool found = false;

	if (!maps_open(&maps, buffer, sizeof(buffer)))
		return false;
	while (!found && maps_next(&maps, &mapping))
		found = sp - mapping.start < mapping.end - mapping.start &&
			address - mapping.start < mapping.end - mapping.start;
	maps_close(&maps);
	return found;
}

/* A function of the calling thread had it on its stack, and returned. */
static bool is_on_dead_stack(const struct held_lock *held)
{
	uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	return held->tid == lock_self() && held->lock < here && is_on_stack(held->lock, here);
}

static struct session_root root_of(const struct held_lock *held)
{
	struct scan_place at = {.kind = SCAN_MAPPING_PRIVATE, .address = held->lock};
	struct span *span;
	uint32_t index;

	if (heap_owns((const void *)held->lock)) {
		span = heap_span(held->lock);
		index = span_index(span, held->lock);
		return root_record(LOOK_BLOCK, span->meta[index].place & META_PLACE,
			held->lock - span_block(span, index), &at);
	}
	if (held->lock >= held->sp && is_on_stack(held->lock, held->sp)) {
		at.kind = SCAN_STACK;
		at.sp = held->sp;
		at.tid = (pid_t)held->tid;
	}
	return root_record(LOOK_MEMORY, 0, 0, &at);
}

static void lock_text(const struct held_lock *held, bool ended, char *room)
{
	static const char *const kinds[] = {"mutex", "rwlock (read)", "rwlock (write)"};
	struct text text = text_in(room, TEXT_SIZE);

	text_add(&text, kinds[held->kind]);
	text_add(&text, " held by thread ");
	text_number(&text, held->tid, 10, 1);
	if (ended)
		text_add(&text, ", which has ended");
}

static void entry_left(struct held_lock *entry, const struct held_lock *held, bool ended)
{
	struct session_leftover leftover = {
		.balance = balance_of(held->what),
		.state = SESSION_LEFT,
		.number = held->lock,
		.root = root_of(held),
	};
	char text[TEXT_SIZE];
	uint64_t index;

	lock_text(held, ended, text);
	index = leftover_add(&leftover, text, NULL);
	if (!index)
		return;
	__atomic_store_n(&entry->leftover, (held->what >> 32 << 32) | index, __ATOMIC_SEQ_CST);
	/* it was unlocked meanwhile, by somebody who did not see this */
	if (__atomic_load_n(&entry->what, __ATOMIC_SEQ_CST) != held->what)
		leftover_state((uint32_t)index, SESSION_GIVEN_BACK);
}

static void entry_settle(struct held_lock *entry, uint32_t generation, bool ended)
{
	struct held_lock held;
	bool settles;

	if (!entry_read(entry, &held))
		return;
	settles = balance_at(balance_of(held.what))->generation == generation;
	/* who waits for a condition has unlocked it for a while only */
	if (!settles && balance_generation(balance_of(held.what))->state == SESSION_LOADED)
		return;
	if (lock_is_held(&held) && !is_on_dead_stack(&held)) {
		if (settles)
			entry_left(entry, &held, ended);
	} else if (!settles) {
		entry_give_back(entry, held.what);
	} else if (entry_claim(entry, held.what)) {
		balance_give_back_before(balance_of(held.what), 1, 0);
	}
}

/* Those of other generations are looked at too: what was unlocked behind our back. */
void mutexes_settle(uint32_t generation)
{
	struct held_locks *table = __atomic_load_n(&tables, __ATOMIC_ACQUIRE);

	for (; table; table = table->next) {
		bool ended = __atomic_load_n(&table->ended, __ATOMIC_ACQUIRE);
		uint32_t count = __atomic_load_n(&table->count, __ATOMIC_RELAXED);

		if (!__atomic_load_n(&table->tid, __ATOMIC_RELAXED))
			continue;
		for (uint32_t i = 0; i < count; i++)
			entry_settle(&table->entry[i], generation, ended);
		table_reclaim(table);
	}
}

/* The only thread that there is has a new id; what it and the others had locked still is. */
void held_locks_fork_child(void)
{
	spare_lock.owner = 0;
	for (struct held_locks *table = tables; table; table = table->next)
		if (table->tid && table != thread_self.locks)
			table->ended = true;
	if (thread_self.locks)
		thread_self.locks->tid = lock_self();
}
