/* SPDX-License-Identifier: MIT */
/*
 * Names for what a session holds as numbers: code by function, file and line,
 * data by variable.  They come from the ELF files the session kept, or from
 * the files still at their paths if these are unchanged.
 */
#ifndef RELIB_NAMES_H
#define RELIB_NAMES_H

#include "cli/session-file.h"
#include "elf/symbolizer.h"

struct names;

/* What is known of one recorded frame. */
struct names_code {
	uint64_t frame;
	bool exact;
	struct symbol_frame *symbols; /* innermost first, at least one */
	size_t count;
};

struct names *names_open(const struct session *session);
void names_close(struct names *names); /* NULL is fine */

/* Owned by @names, good until names_close. */
const struct names_code *names_code(struct names *names, uint64_t frame);

/* The same for an instruction's own address instead of a return address. */
const struct names_code *names_code_exact(struct names *names, uint64_t frame);

/* The variable at an address of an object; false if unknown.  To be freed by symbol_variable_free.
 */
bool names_variable(
	struct names *names, uint32_t object, uint64_t offset, struct symbol_variable *variable);

/*
 * Why only offsets are known of @object: " (file changed)" or " (file gone)",
 * if it was not kept and is not what it was; else "".
 */
const char *names_file_remark(struct names *names, uint32_t object);

/* The short name of an object: "host" for the program, else its file's name. */
const char *names_object(const struct names *names, uint32_t object);
const char *base_name(const char *path);

/* "function (file.c:12)", "function+0x1c in file.so" or "file.so+0x1c", to be freed. */
char *names_line(struct names *names, uint64_t frame, uint32_t home);
char *names_line_exact(struct names *names, uint64_t frame, uint32_t home);
char *names_symbol_text(const struct symbol_frame *symbol);

/* Where a reference was found, for people; to be freed. */
char *names_root(
	struct names *names, const struct session *session, const struct session_root *root);
const char *root_kind_name(unsigned int kind);

/*
 * What an address in a module's image is: "on_tick in plugin.so (plugin.c:40)",
 * "names[2] in plugin.so (plugin.c:7)", "plugin.so+0x10"; to be freed.
 */
char *names_target(struct names *names, uint32_t object, uint64_t offset);

#endif
