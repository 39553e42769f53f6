/* SPDX-License-Identifier: MIT */
#include "shim/descriptors.h"

#include <string.h>
#include <sys/stat.h>

#include "shim/arena.h"
#include "shim/balances.h"
#include "shim/settings.h"
#include "shim/sys.h"
#include "shim/thread.h"

/*
 * An entry: an index, flags, and a stamp that no other entry has soon, so that
 * what was looked at is not taken for what came to its place meanwhile.  0: none.
 */
#define ENTRY_INDEX(entry) ((uint32_t)(entry))
#define ENTRY_STREAM (UINT64_C(1) << 32) /* belongs to a stream: counted as that */
#define ENTRY_LEFT (UINT64_C(1) << 33)	 /* the index is of SESSION_LEFTOVERS, not BALANCES */
#define ENTRY_TOLD (UINT64_C(1) << 34)	 /* settled, but there was no room for a record */
#define ENTRY_ENDING (UINT64_C(1) << 35) /* a close_range is under way */
#define ENTRY_OVER (UINT64_C(1) << 36)	 /* the number was the host's: place tells what of */
#define ENTRY_STAMP_SHIFT 40

/* The file behind a number: of one with ENTRY_OVER what the host had there, else its own. */
struct identity {
	uint64_t device, inode;
};

#define BLOCK_SHIFT 14
#define BLOCK (1u << BLOCK_SHIFT)
#define BLOCKS (1u << (31 - BLOCK_SHIFT)) /* any number that is not negative */

struct block {
	uint64_t entries[BLOCK];
	struct identity *identities; /* of each; NULL: none known yet */
};

static struct block *blocks[BLOCKS];
static uint32_t blocks_end; /* no block with this number or above was ever made */
static struct block *spare;
uint32_t descriptors_held;

static bool is_elsewhere(void)
{
	return thread_self.vforked || thread_self.own_descriptors;
}

static struct block *block_of(int fd)
{
	return fd < 0 ? NULL : __atomic_load_n(&blocks[fd >> BLOCK_SHIFT], __ATOMIC_ACQUIRE);
}

static void blocks_end_raise(uint32_t end)
{
	uint32_t was = __atomic_load_n(&blocks_end, __ATOMIC_RELAXED);

	while (was < end && !__atomic_compare_exchange_n(&blocks_end, &was, end, false,
				    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		;
}

static struct block *block_make(int fd)
{
	struct block *block = block_of(fd), *made;

	if (block || fd < 0)
		return block;
	made = __atomic_exchange_n(&spare, NULL, __ATOMIC_ACQ_REL);
	if (!made)
		made = arena_take(sizeof(*made));
	if (!made)
		return block_of(fd);
	if (!__atomic_compare_exchange_n(&blocks[fd >> BLOCK_SHIFT], &block, made, false,
		    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&spare, made, __ATOMIC_RELEASE);
		return block;
	}
	blocks_end_raise((uint32_t)(fd >> BLOCK_SHIFT) + 1);
	return made;
}

static struct identity *identity_of(struct block *block, int fd)
{
	struct identity *identities = __atomic_load_n(&block->identities, __ATOMIC_ACQUIRE);

	return identities ? &identities[(unsigned int)fd % BLOCK] : NULL;
}

/* The entry is not in the table yet, so nobody else looks. */
static void identity_note(struct block *block, int fd, const struct identity *identity)
{
	struct identity *none = NULL, *made;

	if (!block->identities && identity->inode) {
		made = arena_take(BLOCK * sizeof(*made));
		/* two threads at once, the first time: one of the arrays is lost */
		if (made)
			__atomic_compare_exchange_n(&block->identities, &none, made, false,
				__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	}
	if (identity_of(block, fd))
		*identity_of(block, fd) = *identity;
}

static bool identity_read(int fd, struct identity *identity)
{
	struct stat stat;

	*identity = (struct identity){0};
	if (sys_call(SYS_fstat, fd, &stat, 0))
		return false;
	*identity = (struct identity){stat.st_dev, stat.st_ino};
	return true;
}

static bool is_open(int fd)
{
	return sys_call(SYS_fcntl, fd, F_GETFD, 0) >= 0;
}

struct descriptor_place descriptor_place_held(int fd)
{
	struct identity identity = {0};
	bool was_open = is_open(fd) && identity_read(fd, &identity);

	return (struct descriptor_place){identity.device, identity.inode, was_open};
}

static uint64_t entry_of(uint32_t index, uint64_t flags)
{
	static uint32_t stamps;

	return index | flags |
	       (uint64_t)__atomic_add_fetch(&stamps, 1, __ATOMIC_RELAXED) << ENTRY_STAMP_SHIFT;
}

static uint64_t *slot_in(struct block *block, int fd)
{
	return &block->entries[(unsigned int)fd % BLOCK];
}

static uint64_t slot_exchange(uint64_t *slot, uint64_t entry)
{
	uint64_t was;

	/* counted while it may be there: who sees none held need not look */
	if (entry)
		__atomic_fetch_add(&descriptors_held, 1, __ATOMIC_RELAXED);
	was = __atomic_exchange_n(slot, entry, __ATOMIC_ACQ_REL);
	if (was)
		__atomic_fetch_sub(&descriptors_held, 1, __ATOMIC_RELAXED);
	return was;
}

/* Takes it out, if it is still the same. */
static bool slot_clear(uint64_t *slot, uint64_t entry)
{
	if (!__atomic_compare_exchange_n(
		    slot, &entry, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	__atomic_fetch_sub(&descriptors_held, 1, __ATOMIC_RELAXED);
	return true;
}

/* What was taken out of the table is counted as given back by the program. */
static void entry_end(uint64_t entry)
{
	uint32_t index = ENTRY_INDEX(entry);

	if (!entry || entry & ENTRY_STREAM)
		return;
	if (!(entry & ENTRY_LEFT)) {
		balance_give_back(index, 1, 0);
		return;
	}
	balance_give_back(
		((struct session_leftover *)session_record(SESSION_LEFTOVERS, index))->balance, 1,
		0);
	leftover_state(index, SESSION_GIVEN_BACK);
}

static void enter(int fd, struct origin origin, uint64_t flags, const struct identity *identity)
{
	struct block *block = origin.place ? block_make(fd) : block_of(fd);
	uint32_t balance = 0;

	if (!block)
		return;
	if (origin.place)
		balance = balance_acquire(origin, SESSION_DESCRIPTOR, 0);
	if (balance)
		identity_note(block, fd, identity);
	else if (!__atomic_load_n(slot_in(block, fd), __ATOMIC_RELAXED))
		return;
	entry_end(slot_exchange(slot_in(block, fd), balance ? entry_of(balance, flags) : 0));
}

void descriptor_enter(int fd, struct origin origin)
{
	struct identity identity = {0};

	if (fd < 0 || is_elsewhere())
		return;
	if (origin.place && settings.fds == SESSION_FDS_CLOSE)
		identity_read(fd, &identity);
	enter(fd, origin, 0, &identity);
}

static bool is_back(int fd, const struct identity *before)
{
	struct identity now;

	return before && before->inode && identity_read(fd, &now) && now.inode == before->inode &&
	       now.device == before->device;
}

void descriptor_replaced(int fd, struct origin origin, const struct descriptor_place *before)
{
	struct block *block = block_of(fd);
	uint64_t was = block ? __atomic_load_n(slot_in(block, fd), __ATOMIC_ACQUIRE) : 0;
	struct identity identity = {before->device, before->inode};

	if (fd < 0 || is_elsewhere())
		return;
	if (was & ENTRY_OVER && identity_of(block, fd))
		identity = *identity_of(block, fd);
	else if (was || !before->was_open || !origin.place) {
		descriptor_enter(fd, origin);
		return;
	}
	if (is_back(fd, &identity))
		origin = (struct origin){0};
	enter(fd, origin, ENTRY_OVER, &identity);
}

void descriptor_in_stream(int fd, uint32_t balance)
{
	struct block *block;

	if (fd < 0 || is_elsewhere())
		return;
	block = block_make(fd);
	if (block)
		entry_end(slot_exchange(slot_in(block, fd), entry_of(balance, ENTRY_STREAM)));
}

bool descriptor_is_owned(int fd)
{
	struct block *block = descriptors_are_held() ? block_of(fd) : NULL;
	uint64_t entry = block ? __atomic_load_n(slot_in(block, fd), __ATOMIC_ACQUIRE) : 0;

	return entry && !(entry & ENTRY_OVER);
}

void descriptor_leave(int fd)
{
	struct block *block = block_of(fd);

	if (!block || is_elsewhere())
		return;
	if (__atomic_load_n(slot_in(block, fd), __ATOMIC_RELAXED))
		entry_end(slot_exchange(slot_in(block, fd), 0));
}

/* Calls visit for all entries from first to last. */
static void entries_each(unsigned int first, unsigned int last,
	void (*visit)(int fd, uint64_t *slot, uint64_t data), uint64_t data)
{
	uint64_t end = (uint64_t)__atomic_load_n(&blocks_end, __ATOMIC_ACQUIRE) << BLOCK_SHIFT;

	for (uint64_t fd = first; fd <= last && fd < end; fd++) {
		struct block *block = block_of((int)fd);

		if (!block)
			fd |= BLOCK - 1;
		else if (__atomic_load_n(slot_in(block, (int)fd), __ATOMIC_RELAXED))
			visit((int)fd, slot_in(block, (int)fd), data);
	}
}

static void visit_ending(int fd, uint64_t *slot, uint64_t data)
{
	uint64_t entry = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

	while (entry && !__atomic_compare_exchange_n(slot, &entry, entry | ENTRY_ENDING, false,
				__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
}

/* One that came since has no mark: it is of a number that was free again. */
static void visit_ended(int fd, uint64_t *slot, uint64_t done)
{
	uint64_t entry = __atomic_load_n(slot, __ATOMIC_ACQUIRE);

	if (!(entry & ENTRY_ENDING))
		return;
	if (!done)
		__atomic_fetch_and(slot, ~ENTRY_ENDING, __ATOMIC_ACQ_REL);
	else if (slot_clear(slot, entry))
		entry_end(entry);
}

void descriptors_closing(unsigned int first, unsigned int last)
{
	if (descriptors_are_held() && !is_elsewhere())
		entries_each(first, last, visit_ending, 0);
}

void descriptors_closed(unsigned int first, unsigned int last, bool done)
{
	if (descriptors_are_held() && !is_elsewhere())
		entries_each(first, last, visit_ended, done);
}

/* Closed, or closed and opened by somebody else, by ways that are not seen. */
static bool is_lost(int fd, uint64_t entry)
{
	struct identity *known = identity_of(block_of(fd), fd), now;

	if (!is_open(fd))
		return true;
	if (!known || !known->inode || entry & ENTRY_OVER)
		return false;
	return identity_read(fd, &now) &&
	       (now.inode != known->inode || now.device != known->device);
}

/*
 * A thread that closes the descriptor in the very moment when we do may lose
 * another that gets the number between the two: there is no system call that
 * closes only what one means.
 */
static void close_left(int fd, uint64_t *slot, uint64_t entry, const char *text)
{
	const struct session_leftover like = {
		.balance = ENTRY_INDEX(entry),
		.state = SESSION_TAKEN_BACK,
		.number = (uint64_t)fd,
	};

	if (!slot_clear(slot, entry))
		return;
	sys_close(fd);
	leftover_add(&like, text, NULL);
}

static void tell_left(int fd, uint64_t *slot, uint64_t entry, const char *text, const char *why)
{
	const struct session_leftover like = {
		.balance = ENTRY_INDEX(entry),
		.state = SESSION_LEFT,
		.number = (uint64_t)fd,
	};
	uint32_t leftover = leftover_add(&like, text, why), index = ENTRY_INDEX(entry);
	uint64_t told;

	/* a close_range that is under way may set its mark meanwhile */
	do {
		told = entry & ~(uint64_t)UINT32_MAX;
		told |= leftover ? leftover | ENTRY_LEFT : index | ENTRY_TOLD;
		if (__atomic_compare_exchange_n(
			    slot, &entry, told, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return;
	} while ((entry ^ told) >> ENTRY_STAMP_SHIFT == 0 && entry);
	leftover_state(leftover, SESSION_GIVEN_BACK);
}

static const char *why_not_closed(int fd, uint64_t entry)
{
	if (settings.fds != SESSION_FDS_CLOSE)
		return NULL;
	if (entry & ENTRY_OVER)
		return "it stands where one of the host's was";
	return fd <= 2 ? "standard input, output and errors stay open" : NULL;
}

static void visit_settle(int fd, uint64_t *slot, uint64_t generation)
{
	uint64_t entry = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
	char text[4200];
	const char *why;

	if (!entry || entry & (ENTRY_STREAM | ENTRY_LEFT | ENTRY_TOLD) ||
		balance_at(ENTRY_INDEX(entry))->generation != generation)
		return;
	if (is_lost(fd, entry) || !descriptor_text(fd, text, sizeof(text))) {
		if (slot_clear(slot, entry))
			balance_give_back_before(ENTRY_INDEX(entry), 1, 0);
		return;
	}
	why = why_not_closed(fd, entry);
	if (settings.fds == SESSION_FDS_CLOSE && !why)
		close_left(fd, slot, entry, text);
	else
		tell_left(fd, slot, entry, text, why);
}

void descriptors_settle(uint32_t generation)
{
	if (descriptors_are_held() && !is_elsewhere())
		entries_each(0, INT32_MAX, visit_settle, generation);
}
