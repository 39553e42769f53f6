/* SPDX-License-Identifier: MIT */
#include "shim/directories.h"

#include <errno.h>

#include "shim/descriptors.h"
#include "shim/identity.h"
#include "shim/next.h"
#include "shim/thread.h"

/* Not dirent.h's declarations: by them closedir is never called with NULL. */
typedef struct directory DIR;
DIR *opendir(const char *path);
DIR *fdopendir(int fd);
int closedir(DIR *directory);
int dirfd(DIR *directory);

/* A DIR begins with its descriptor. */
static int *descriptor_in(const void *directory)
{
	return (int *)directory;
}

/*
 * data: the descriptor, its file, and whether the module opened it.  Where the
 * C library has another layout, nothing is recorded.
 */
static bool directory_enter(DIR *directory, bool owned, struct origin origin)
{
	int fd = *descriptor_in(directory), saved = errno;
	struct holding entered,
		holding = {
			.kind = SESSION_DIRECTORY,
			.key = (uintptr_t)directory,
			.data = {(uint64_t)fd, 0, owned && !thread_self.own_descriptors},
		};
	bool known = dirfd(directory) == fd;

	errno = saved;
	holding.data[1] = known ? identity_of_descriptor(fd) : 0;
	if (!known || !ledger_acquire(origin, &holding) ||
		!ledger_find(SESSION_DIRECTORY, holding.key, &entered))
		return false;
	descriptor_in_stream(fd, entered.balance);
	return true;
}

static bool is_new(DIR *directory, struct origin origin)
{
	struct holding was;

	if (!directory)
		return false;
	if (origin.place)
		return true;
	/* one with this address was closed without our seeing it */
	ledger_give_back(SESSION_DIRECTORY, (uintptr_t)directory, &was);
	return false;
}

RELIB_EXPORT DIR *opendir(const char *path)
{
	struct origin origin;
	DIR *directory;

	if (!next_ready() || !next.opendir) {
		errno = ENOSYS;
		return NULL;
	}
	directory = next.opendir(path);
	origin = CALL_ORIGIN();
	if ((!is_new(directory, origin) || !directory_enter(directory, true, origin)) && directory)
		descriptor_opened(*descriptor_in(directory), (struct origin){0});
	return directory;
}

RELIB_EXPORT DIR *fdopendir(int fd)
{
	struct origin origin;
	DIR *directory;
	bool owned;

	if (!next_ready() || !next.fdopendir) {
		errno = ENOSYS;
		return NULL;
	}
	owned = descriptor_is_owned(fd);
	directory = next.fdopendir(fd);
	origin = CALL_ORIGIN();
	if (is_new(directory, origin))
		directory_enter(directory, owned, origin);
	return directory;
}

RELIB_EXPORT int closedir(DIR *directory)
{
	struct holding was;

	if (!next_ready() || !next.closedir) {
		errno = ENOSYS;
		return -1;
	}
	if (directory) {
		ledger_give_back(SESSION_DIRECTORY, (uintptr_t)directory, &was);
		descriptor_closing(*descriptor_in(directory));
	}
	return next.closedir(directory);
}

/*
 * Its block is the generation's still: a look frees it, when nobody refers to
 * it, like any other, and what is left is the descriptor.
 */
static bool has_block(const struct holding *holding)
{
	const void *directory = (const void *)(uintptr_t)holding->key;
	struct origin origin;
	size_t size;

	if (!heap_owns(directory))
		return false;
	origin = heap_origin(directory, &size);
	return origin.place &&
	       generation_at(origin.generation)->record ==
		       balance_at(holding->balance)->generation &&
	       *descriptor_in(directory) == (int)holding->data[0];
}

static bool has_descriptor(const struct holding *holding)
{
	return identity_of_descriptor((int)holding->data[0]) == holding->data[1];
}

static const char *text_of(const struct holding *holding, char *room, size_t size)
{
	if (!has_descriptor(holding))
		return "its descriptor is closed";
	return descriptor_text((int)holding->data[0], room, size) ? room : NULL;
}

static bool is_open(const struct holding *holding)
{
	return has_block(holding) || has_descriptor(holding);
}

static void close_now(const struct holding *holding)
{
	void *directory = (void *)(uintptr_t)holding->key;
	int fd = (int)holding->data[0];
	bool closes = has_descriptor(holding) && holding->data[2];

	if (closes)
		descriptor_closing(fd);
	if (!has_block(holding)) {
		if (closes)
			sys_close(fd);
		return;
	}
	if (!closes)
		*descriptor_in(directory) = -1;
	next.closedir(directory);
}

bool directory_close(struct holding *holding, const char **why)
{
	int saved = errno;
	char room[4200];
	const char *text;

	*why = NULL;
	if (!next.closedir || !is_open(holding))
		return false;
	if (!heap_owns((const void *)(uintptr_t)holding->key)) {
		*why = "its memory is the host's";
		return false;
	}
	text = text_of(holding, room, sizeof(room));
	if (text)
		holding->text = ledger_text(text);
	ledger_forget(SESSION_DIRECTORY, holding->key);
	close_now(holding);
	errno = saved;
	return true;
}

void directory_leftover(const struct holding *holding, enum session_leftover_state state,
	const struct session_root *root, const char *why)
{
	struct session_leftover like = {
		.balance = holding->balance,
		.state = state,
		.number = holding->key,
		.text = holding->text,
	};
	struct holding recorded = *holding;
	char room[4200];

	if (holding->leftover)
		return;
	if (root)
		like.root = *root;
	if (state == SESSION_TAKEN_BACK) {
		leftover_add(&like, NULL, NULL);
		return;
	}
	if (!is_open(holding)) {
		ledger_was_gone(holding);
		return;
	}
	recorded.leftover = leftover_add(&like, text_of(holding, room, sizeof(room)), why);
	/* nobody can close what is freed, and its address can be another's */
	if (heap_owns((const void *)(uintptr_t)holding->key) && !has_block(holding))
		ledger_forget(SESSION_DIRECTORY, holding->key);
	else
		ledger_change(&recorded);
}

static void visit_left(const struct holding *holding, void *data)
{
	directory_leftover(holding, SESSION_LEFT, NULL, NULL);
}

void directories_settle(uint32_t generation)
{
	ledger_each(SESSION_DIRECTORY, generation, visit_left, NULL);
}
