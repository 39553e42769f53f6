/* SPDX-License-Identifier: MIT */
#include "shim/look-semaphores.h"

#include <string.h>

#include "shim/generation.h"
#include "shim/look-ranges.h"
#include "shim/roots.h"
#include "shim/semaphores.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/sorted.h"
#include "shim/sys.h"

#define PAGE ((uintptr_t)4096)

/* A module's handle. */
struct handle {
	struct holding holding;
	uint32_t semaphore; /* index of its own */
	bool left;	    /* its module is gone */
};

struct semaphore {
	uintptr_t address;
	uintptr_t record;	/* the C library's; 0: not found */
	int32_t opened;		/* as that says */
	uint32_t text;		/* its name, a string of the session */
	uint32_t handles, left; /* of modules; those of them that were left */
	bool far;		/* from all that a scan can look for at once */
	bool kept;
	struct look_reference reference;
};

/* One look at a time. */
static struct {
	struct handle *handles;	      /* sorted */
	struct semaphore *semaphores; /* sorted */
	size_t handle_count, count, size;
} work;

static bool is_left(const struct holding *holding)
{
	const struct generation *generation = generation_at((uint16_t)holding->data[2]);

	return generation->record == holding->generation &&
	       generation->state >= GENERATION_LOOKED_AT;
}

static void holding_visit(const struct holding *holding, void *data)
{
	if (work.handle_count < work.size)
		work.handles[work.handle_count++] =
			(struct handle){.holding = *holding, .left = is_left(holding)};
}

static void semaphore_add(struct handle *handle)
{
	uintptr_t address = semaphore_address(&handle->holding);
	struct semaphore *last = work.count ? &work.semaphores[work.count - 1] : NULL;

	if (!last || last->address != address) {
		last = &work.semaphores[work.count++];
		*last = (struct semaphore){.address = address, .text = handle->holding.text};
	}
	handle->semaphore = (uint32_t)(last - work.semaphores);
	last->handles++;
	last->left += handle->left;
}

void look_semaphores_begin(void)
{
	memset(&work, 0, sizeof(work));
	work.size = __atomic_load_n(&ledger_counts[SESSION_SEM], __ATOMIC_RELAXED);
	if (!work.size)
		return;
	work.handles = look_ranges_scratch(work.size * sizeof(*work.handles));
	work.semaphores = look_ranges_scratch(work.size * sizeof(*work.semaphores));
	if (!work.handles || !work.semaphores)
		return;
	ledger_each(SESSION_SEM, 0, holding_visit, NULL);
	SORT(work.handles, work.handle_count, .holding.key);
	for (size_t i = 0; i < work.handle_count; i++)
		semaphore_add(&work.handles[i]);
}

static bool widen(uintptr_t *base, uintptr_t *size, uintptr_t start)
{
	struct scan_range range = {*base, *base + *size};

	if (!look_ranges_widen(&range, start, start + PAGE))
		return false;
	*base = range.start;
	*size = range.end - range.start;
	return true;
}

void look_semaphores_range(struct scan *scan)
{
	for (size_t i = 0; i < work.count; i++)
		if (work.semaphores[i].left)
			work.semaphores[i].far = !widen(&scan->other_base, &scan->other_size,
							 work.semaphores[i].address) &&
						 !widen(&scan->far_base, &scan->far_size,
							 work.semaphores[i].address);
}

static struct semaphore *semaphore_of(uintptr_t word)
{
	uintptr_t address = word & ~(PAGE - 1);
	size_t from = SORTED_COUNT(work.count, i, work.semaphores[i].address < address);
	return from < work.count && work.semaphores[from].address == address
		       ? &work.semaphores[from]
		       : NULL;
}

bool look_semaphores_at(uintptr_t word)
{
	return work.count && semaphore_of(word);
}

static const char *name_of(uint32_t text)
{
	const char *name = session_record(SESSION_STRINGS, text);

	while (*name == '/')
		name++;
	return name;
}

static bool has_text(const char *at, const char *end, const char *text)
{
	size_t length = strlen(text) + 1;

	while (at < end && *at == '/')
		at++;
	return at < end && (size_t)(end - at) >= length && !memcmp(at, text, length);
}

/* | device | inode | how often it is open | address | name, as it was said */
bool look_semaphores_recorded(uintptr_t word, const struct scan_place *place)
{
	const uintptr_t *at = (const uintptr_t *)place->address;
	struct semaphore *semaphore = semaphore_of(word);
	int32_t opened;

	if (word != semaphore->address || !semaphore->text ||
		place->address < place->start + 3 * sizeof(*at) ||
		!has_text(
			(const char *)(at + 1), (const char *)place->end, name_of(semaphore->text)))
		return false;
	opened = *(const int32_t *)(at - 1);
	if (opened > 0) {
		semaphore->opened = opened;
		semaphore->record = place->address - 3 * sizeof(*at);
	}
	return true;
}

void look_semaphores_kept(uintptr_t word, const struct look_reference *reference)
{
	struct semaphore *semaphore = semaphore_of(word);

	if (semaphore->kept)
		return;
	semaphore->kept = true;
	semaphore->reference = *reference;
}

/* The C library has counted at least those that we know. */
static bool is_known(const struct semaphore *semaphore)
{
	return semaphore->record && semaphore->handles < SEMAPHORE_HANDLES &&
	       (uint32_t)semaphore->opened >= semaphore->handles;
}

static bool is_closed(const struct semaphore *semaphore)
{
	return settings.fds == SESSION_FDS_CLOSE && semaphore->left && !semaphore->kept &&
	       !semaphore->far && is_known(semaphore) &&
	       (uint32_t)semaphore->opened == semaphore->left;
}

/* It is the record, or the tree's node that leads to it. */
bool look_semaphores_frees(uintptr_t block, size_t size)
{
	for (size_t i = 0; size >= sizeof(uintptr_t) && i < work.count; i++)
		if (is_closed(&work.semaphores[i]) &&
			(work.semaphores[i].record == block ||
				work.semaphores[i].record == *(const uintptr_t *)block))
			return true;
	return false;
}

/* Why it cannot be closed, or NULL. */
static const char *why_not(const struct semaphore *semaphore)
{
	if (semaphore->far)
		return "it is too far from others to look for";
	return is_known(semaphore) ? NULL : "how often it is open is not known";
}

/*
 * Those of others, which were there before the look and still are, keep the page
 * mapped.  The modules' handles, of which some may be handed over, do not count.
 */
static bool is_held_otherwise(const struct semaphore *semaphore)
{
	size_t handles = semaphore_handles(semaphore->address);

	if (handles < semaphore->handles)
		handles = semaphore->handles;
	return is_known(semaphore) && (uint32_t)semaphore->opened > handles;
}

static void taken_back(const struct holding *holding)
{
	ledger_looked_at(holding, SESSION_TAKEN_BACK, semaphore_address(holding), NULL, NULL);
	ledger_forget(SESSION_SEM, holding->key);
}

static void handle_settle(struct handle *handle, const struct semaphore *semaphore, bool otherwise)
{
	const struct look_reference *reference = &semaphore->reference;
	struct holding *holding = &handle->holding, was;
	uint32_t generation = holding->generation;
	bool wanted = settings.fds == SESSION_FDS_CLOSE;
	struct session_root root;

	/* it may have been closed meanwhile */
	if (!ledger_find(SESSION_SEM, holding->key, holding) || holding->generation != generation)
		return;
	if (!semaphore_is_open(holding)) {
		if (holding->leftover)
			ledger_give_back(SESSION_SEM, holding->key, &was);
		return;
	}
	/* what the C library frees then is looked for once more */
	generation_at((uint16_t)holding->data[2])->used |= wanted || semaphore->kept;
	if (wanted && (otherwise || (!semaphore->kept && !why_not(semaphore))) &&
		semaphore_close(semaphore->address)) {
		taken_back(holding);
	} else if (semaphore->kept) {
		root = root_record(reference->referrer, reference->referrer_place,
			reference->referrer_offset, &reference->root);
		ledger_looked_at(holding, SESSION_KEPT, semaphore->address, &root, NULL);
	} else {
		ledger_looked_at(holding, SESSION_LEFT, semaphore->address, NULL,
			wanted ? why_not(semaphore) : NULL);
	}
}

void look_semaphores_end(bool done)
{
	bool otherwise = false;

	for (size_t i = 0; done && i < work.handle_count; i++) {
		struct handle *handle = &work.handles[i];
		const struct semaphore *semaphore = &work.semaphores[handle->semaphore];

		if (!i || handle->semaphore != work.handles[i - 1].semaphore)
			otherwise = is_held_otherwise(semaphore);
		if (handle->left)
			handle_settle(handle, semaphore, otherwise);
	}
	if (work.handles)
		sys_unmap(work.handles, work.size * sizeof(*work.handles));
	if (work.semaphores)
		sys_unmap(work.semaphores, work.size * sizeof(*work.semaphores));
	memset(&work, 0, sizeof(work));
}
