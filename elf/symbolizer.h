/* SPDX-License-Identifier: MIT */
/*
 * From an address in an ELF file to names: function, file, line and the chain
 * of functions inlined there, or the variable.  Addresses are ELF virtual
 * addresses (what nm and objdump print), whatever the file was loaded at.
 *
 * Debug information is taken from the file, from a file named by its debug
 * link, or by build-id from /usr/lib/debug.  The network is used only if the
 * user's DEBUGINFOD_URLS says so.
 */
#ifndef RELIB_SYMBOLIZER_H
#define RELIB_SYMBOLIZER_H

#include "elf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbolizer;

struct symbol_frame {
	char *function;		  /* demangled; NULL if unknown */
	uint64_t function_offset; /* of the address in the function's code */
	bool has_offset;	  /* function_offset is known */
	char *file;		  /* as the compiler recorded it; NULL if unknown */
	int line;		  /* from 1; 0 if unknown */
	bool inlined;		  /* into the frame that follows */
};

/* Opens the ELF file at @path.  NULL and @error when it cannot be read. */
struct symbolizer *symbolizer_open(const char *path, struct error *error);
void symbolizer_close(struct symbolizer *symbolizer); /* NULL is fine */

/* There is debug information, of the file or apart from it. */
bool symbolizer_has_lines(struct symbolizer *symbolizer);

/*
 * The frames at an instruction, innermost first: any number of inlined ones
 * and the function they are in.  Always at least one, which may know nothing.
 * For a return address, pass the address less 1 and count 1 to the offset.
 * To be freed by symbol_frames_free.
 */
size_t symbolizer_code(
	struct symbolizer *symbolizer, uint64_t address, struct symbol_frame **frames);
void symbol_frames_free(struct symbol_frame *frames, size_t count);

struct symbol_variable {
	char *name; /* "handlers[3]", "table.entries[2].call", "name+0x10", ".bss+0x40" */
	char *file; /* where it is declared, as the compiler recorded it; NULL if unknown */
	int line;   /* 0 if unknown */
};

/*
 * The variable that an address is in: element and member by debug information,
 * else by the symbol table, else the section.  False if nothing is known.
 */
bool symbolizer_variable(
	struct symbolizer *symbolizer, uint64_t address, struct symbol_variable *variable);
void symbol_variable_free(struct symbol_variable *variable);

#endif
