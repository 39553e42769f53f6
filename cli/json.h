/* SPDX-License-Identifier: MIT */
/* The parts of which JSON reports are made.  Every function gives a new object. */
#ifndef RELIB_JSON_H
#define RELIB_JSON_H

#include "cli/names.h"
#include "cli/session-file.h"

#include <json-c/json.h>
#include <stdio.h>

void json_add(struct json_object *object, const char *key, struct json_object *value);

/* Bytes that are not UTF-8 are replaced by U+FFFD, for paths can hold anything. */
struct json_object *json_text(const char *text);
struct json_object *json_text_or_null(const char *text);
struct json_object *json_number(uint64_t number);
struct json_object *json_hex(uint64_t number);			   /* "0x1c" */
struct json_object *json_bytes(const uint8_t *bytes, size_t size); /* "0badf00d" */
struct json_object *json_time(uint64_t ns);			   /* ISO 8601 in UTC; 0: null */
struct json_object *json_tally(struct tally tally);

/* Appends the frame to the array @stack, what was inlined there first. */
void json_frame(struct json_object *stack, struct names *names, const struct session *session,
	uint64_t frame);

/* One frame by itself, the innermost of what was inlined; 0: null. */
struct json_object *json_one_frame(
	struct names *names, const struct session *session, uint64_t frame, bool exact);

/* The frames @first to @first + @count - 1; @exact: the first is no return address. */
struct json_object *json_stack(struct names *names, const struct session *session, uint32_t first,
	uint32_t count, bool exact);

/*
 * The same value with much less memory: as the text that it will be written
 * as.  @object is consumed; nothing can be added to or looked up in the result.
 */
struct json_object *json_settled(struct json_object *object, bool on_one_line);

void json_write(struct json_object *object, FILE *out);

#endif
