/* SPDX-License-Identifier: MIT */
/* What a mapped ELF image says of itself. */
#ifndef RELIB_OBJECT_IMAGE_H
#define RELIB_OBJECT_IMAGE_H

#include "shim/objects.h"

/* Fills start, end, unwind and tls_size from the program headers. */
void image_read(struct object *object);

/* DT_SONAME, or NULL. */
const char *image_soname(const struct object *object);

/* True when one of the image's DT_NEEDED is called name. */
bool image_needs(const struct object *object, const char *name);

/* The first entry of the dynamic section with that tag, or NULL; and its value, or 0. */
ElfW(Dyn) * image_dynamic_entry(const struct object *object, ElfW(Sxword) tag);
uintptr_t image_dynamic_value(const struct object *object, ElfW(Sxword) tag);

/* The address of a function that the image exports, by its GNU hash table; 0: none. */
uintptr_t image_function(const struct object *object, const char *name);

/* True when the image has an undefined symbol of that name. */
bool image_refers_to(const struct object *object, const char *name);

/* True when the address is read-only since relocation (PT_GNU_RELRO). */
bool image_is_sealed(const struct object *object, uintptr_t address);

/*
 * Calls visit for every symbol of the dynamic symbol table until it returns
 * false.  Its number in the table comes from the hash tables.
 */
void image_symbols(const struct object *object,
	bool (*visit)(const ElfW(Sym) * symbol, const char *name, void *data), void *data);

/* Calls visit for every relocation by symbol, until it returns false. */
void image_relocations(const struct object *object,
	bool (*visit)(const ElfW(Sym) * symbol, const char *name, uintptr_t slot, void *data),
	void *data);

/* The GNU build-id and its size in bytes; NULL when there is none. */
const unsigned char *image_build_id(const struct object *object, size_t *size);

/* The last component of a path. */
const char *path_base(const char *path);

#endif
