/* SPDX-License-Identifier: MIT */
/* The variables of which debug information knows the address, down to elements and members. */
#ifndef RELIB_VARIABLE_H
#define RELIB_VARIABLE_H

#include "elf/symbolizer.h"

#include <elfutils/libdwfl.h>

/* Where the variables of one module lie; made when it is first asked for. */
struct variable_index;

void variable_index_close(struct variable_index *index); /* NULL is fine */

/*
 * The variable at @address: "table.entries[2].call", qualified as in
 * "scope::name" if it is in one, and where it is declared.  *@index is NULL at
 * first, and kept by the caller.  False when debug information knows none there.
 */
bool variable_find(struct variable_index **index, Dwfl_Module *module, Dwarf_Addr address,
	struct symbol_variable *variable);

#endif
