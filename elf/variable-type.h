/* SPDX-License-Identifier: MIT */
/* The way through a type: which element and member an offset in a variable is. */
#ifndef RELIB_VARIABLE_TYPE_H
#define RELIB_VARIABLE_TYPE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

/* The type of a variable or member, without typedefs and qualifiers. */
bool type_of(Dwarf_Die *die, Dwarf_Die *type);

/* Bytes of a type; 0 if it is not complete. */
uint64_t type_size(Dwarf_Die *type);

/*
 * "[3]", ".entries[2].call", "+0x4" or "": what stands behind the name of a
 * variable of that type for the byte at @offset.  To be freed.
 */
char *type_path(Dwarf_Die *type, uint64_t offset);

#endif
