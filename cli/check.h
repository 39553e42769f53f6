/* SPDX-License-Identifier: MIT */
/*
 * What can be said of a plugin's file before it is loaded: whether it will
 * unload, and what else matters for that.
 */
#ifndef RELIB_CHECK_H
#define RELIB_CHECK_H

#include "cli/paper.h"
#include "elf/closure.h"
#include "elf/error.h"

enum verdict {
	VERDICT_UNLOADS,
	VERDICT_STAYS,
	VERDICT_CANNOT_LOAD,
	VERDICT_UNREADABLE,
	VERDICT_COUNT,
};

/* How much a finding matters, least first; the verdict follows from the weightiest. */
enum weight { WEIGHT_NOTE, WEIGHT_WARNING, WEIGHT_STAYS, WEIGHT_CANNOT_LOAD, WEIGHT_COUNT };

struct finding {
	enum weight weight;
	const char *kind; /* for programs */
	char *text;	  /* what it is; the names follow */
	const char *then; /* what follows from it and what to do, or NULL */
	char **names;	  /* symbols and libraries that it is about */
	size_t name_count;
};

struct check {
	char *path;
	enum verdict verdict;
	char *error; /* VERDICT_UNREADABLE: why, else NULL */
	char *soname;
	struct build_id build_id;
	struct finding **findings; /* weightiest first */
	size_t finding_count;
};

struct check_list {
	struct check **checks;
	size_t count;
	bool all; /* all names in the text */
};

/*
 * Checks the file at @path.  @host is the path of the program that will load
 * it, or NULL.  A file that cannot be read is a check as well; NULL and @error
 * only if the host cannot be read.
 */
struct check *check_open(const char *path, const char *host, const struct library_search *search,
	struct error *error);
void check_close(struct check *check);

size_t check_list_count(const struct check_list *list, enum verdict verdict);
void check_list_write_text(const struct check_list *list, const struct paper *paper);
void check_list_write_json(const struct check_list *list, FILE *out);

const char *verdict_name(enum verdict verdict);
const char *weight_name(enum weight weight);

/* --- for the parts of the check ---------------------------------------- */

/* A file under check, with all that it brings in. */
struct subject {
	struct check *check;
	const struct closure *closure;
	const struct closure_object *object; /* the file itself */
	const struct dynamic *dynamic;	     /* of the file */
};

/* Adds a finding, of which names can be added; @text is kept and freed. */
struct finding *finding_add(const struct subject *subject, enum weight weight, const char *kind,
	char *text, const char *then);
void finding_name(struct finding *finding, const char *name);
void finding_symbol(struct finding *finding, const char *name); /* demangled */

/* A library that every host has or that stays anyway: the C and C++ runtime. */
bool library_is_runtime(const struct closure_object *object);

/* The file has an undefined symbol of that name. */
bool subject_refers(const struct subject *subject, const char *name);

void check_marks(const struct subject *subject);      /* flags and segments */
void check_uniques(const struct subject *subject);    /* STB_GNU_UNIQUE symbols */
void check_needs(const struct subject *subject);      /* libraries, versions, undefined symbols */
void check_references(const struct subject *subject); /* what its code calls */

#endif
