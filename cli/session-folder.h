/* SPDX-License-Identifier: MIT */
/*
 * Where sessions lie: <base>/<host>.<pid>[.<n>]/session, and the ELF files
 * they kept in <base>/objects.
 */
#ifndef RELIB_SESSION_FOLDER_H
#define RELIB_SESSION_FOLDER_H

#include "elf/error.h"
#include "shim/session-format.h"

#include <stdbool.h>
#include <stddef.h>

/* A session as its header tells. */
struct session_entry {
	char *name; /* of its folder, in the base folder */
	char *path; /* of its file */
	int32_t pid;
	uint32_t state;
	uint64_t start_ticks, started_ns;
};

struct session_list {
	struct session_entry *entry; /* newest first */
	size_t count;
	bool complete; /* false: there are sessions that cannot be read */
};

/*
 * The base folder, to be freed: @wanted, else $RELIB_DIR, else the user's own
 * in $XDG_RUNTIME_DIR or /tmp.  *@is_default says that it is the last.
 */
char *session_base(const char *wanted, bool *is_default);

/* Makes the base folder if it is missing; it must be ours, a default one ours alone. */
int session_base_make(const char *base, bool is_default, struct error *error);

/* As session_base_make, but a missing folder is no error: there are no sessions then. */
int session_base_check(const char *base, bool is_default, struct error *error);

void session_list_read(const char *base, struct session_list *list);
void session_list_free(struct session_list *list);

/*
 * The file of the session that @operand names: NULL the newest, a number the
 * one of that process, else a folder's name in @base, a folder, or a file.  To
 * be freed; NULL and @error if there is none.
 */
char *session_find(const char *base, const char *operand, struct error *error);

/*
 * Keeps the newest @keep ended sessions of @base and removes older ones, and
 * kept ELF files that no session needs.  Running sessions and everything that
 * is not of relib's making stay.
 */
void session_base_prune(const char *base, size_t keep);

#endif
