/* SPDX-License-Identifier: MIT */
/*
 * What the dynamic loader reads of a file: its dynamic section and the tables
 * that this refers to, found through the segments as the loader finds them,
 * with or without a section table.  Nothing in the file is trusted.
 */
#ifndef RELIB_DYNAMIC_H
#define RELIB_DYNAMIC_H

#include "elf/image.h"

struct dynamic_symbol {
	const char *name;
	uint64_t value;
	unsigned char bind, type; /* STB_, STT_ */
	bool defined;
	bool bound; /* a relocation of this file refers to it: the loader looks it up */
};

struct dynamic_relocation {
	uint64_t at; /* virtual address */
	uint32_t type, symbol;
	int64_t addend;
};

/* A version that this file wants of a library. */
struct version_need {
	const char *library, *version;
	bool weak;
};

/* All texts live as long as the struct. */
struct dynamic {
	struct image image;
	char *path;
	const char *soname, *rpath, *runpath; /* NULL: none */
	const char **needed;
	size_t needed_count;
	uint64_t flags, flags_1;   /* DF_, DF_1_ */
	bool has_text_relocations; /* by DT_TEXTREL or DF_TEXTREL */
	bool has_static_tls;	   /* by DF_STATIC_TLS or a relocation */
	bool has_exec_stack;
	struct dynamic_symbol *symbols; /* the first is the null symbol */
	size_t symbol_count;
	struct dynamic_relocation *relocations;
	size_t relocation_count;
	struct version_need *version_needs;
	size_t version_need_count;
	const char **versions; /* defined here */
	size_t version_count;

	uint32_t *symbol_index; /* by hash of the name, 0: free */
	size_t symbol_index_size;
	GElf_Phdr *segments;
	size_t segment_count;
	GElf_Dyn *entries;
	size_t entry_count;
	const char *strings;
	size_t string_size;
};

/*
 * Reads the program or shared object at @path.  -1 and @error when it is not
 * one of this machine, not whole, or damaged.  Closed by dynamic_close, also
 * after an error.
 */
int dynamic_open(struct dynamic *dynamic, const char *path, struct error *error);
void dynamic_close(struct dynamic *dynamic);

/* The value of the first entry with @tag, false if there is none. */
bool dynamic_value(const struct dynamic *dynamic, int64_t tag, uint64_t *value);

/* @size bytes of the file as they are mapped at @address; NULL if they are not all there. */
const void *dynamic_bytes(const struct dynamic *dynamic, uint64_t address, size_t size);

/* How many bytes of the file are mapped from @address to the end of the segment. */
size_t dynamic_extent(const struct dynamic *dynamic, uint64_t address);

/* The text at @offset of the string table, NULL if it does not end in there. */
const char *dynamic_text(const struct dynamic *dynamic, uint64_t offset);

/* The first symbol of that name in the dynamic symbol table, NULL if there is none. */
const struct dynamic_symbol *dynamic_symbol(const struct dynamic *dynamic, const char *name);

/* Other objects can bind to it. */
bool symbol_is_exported(const struct dynamic_symbol *symbol);

/* Fill version_needs and versions; false when the tables are damaged. */
bool versions_read(struct dynamic *dynamic);

#endif
