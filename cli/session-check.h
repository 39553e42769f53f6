/* SPDX-License-Identifier: MIT */
/* Whether a session file is whole and means what it says. */
#ifndef RELIB_SESSION_CHECK_H
#define RELIB_SESSION_CHECK_H

#include "cli/session-file.h"

/* The header alone: whose file it is, its version and sizes. */
int session_check_header(
	const char *path, const struct session_header *header, struct error *error);

/* Tables and extents; fills @session->count. */
int session_check_tables(struct session *session, struct error *error);

/* Every index in every record. */
int session_check_records(const struct session *session, struct error *error);

#endif
