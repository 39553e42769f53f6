/* SPDX-License-Identifier: MIT */
/* What the symbol tables of a file call its functions and thread-locals. */
#ifndef RELIB_FUNCTION_NAMES_H
#define RELIB_FUNCTION_NAMES_H

#include "elf/dynamic.h"

/*
 * The name of the function that begins at @address, as it stands in the file;
 * NULL if the file is stripped of it.  It lives as long as @dynamic.
 */
const char *function_name(const struct dynamic *dynamic, uint64_t address);

/* The file has a full symbol table. */
bool function_names_are_full(const struct dynamic *dynamic);

/*
 * The names of thread-local variables, each once, in an array to be freed; the
 * names live as long as @dynamic.  What the compiler made for itself is left out.
 */
size_t thread_local_names(const struct dynamic *dynamic, const char ***names);

#endif
