/* SPDX-License-Identifier: MIT */
/* The functions that debug information places at one instruction. */
#ifndef RELIB_INLINED_H
#define RELIB_INLINED_H

#include "elf/symbolizer.h"

#include <elfutils/libdwfl.h>

/*
 * The inlined functions at @address, innermost first, and the function they
 * are in.  The file and line of the first frame are left to the line table.
 * Returns 0 and leaves *@frames NULL when there is no debug information.
 */
size_t inlined_frames(Dwfl_Module *module, Dwarf_Addr address, struct symbol_frame **frames);

#endif
