/* SPDX-License-Identifier: MIT */
/*
 * What a look leaves out, and what it puts last: the shim's own memory, the
 * thread-local blocks and key values of modules that went, and the C library's
 * data.
 */
#ifndef RELIB_LOOK_RANGES_H
#define RELIB_LOOK_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/scan.h"
#include "shim/world.h"

/* Before the world is stopped: notes the shim's memory and the loaded objects. */
void look_ranges_begin(void);

/* Memory for the look, with the world stopped: it is left out as well.  NULL: none. */
void *look_ranges_scratch(size_t size);

/*
 * With the world stopped, after the last look_ranges_scratch: makes the list of
 * what is left out.  False when there is no memory for it.
 */
bool look_ranges_make(const struct world *world);
const struct scan_range *look_ranges_excluded(size_t *count);

/* Makes the range hold the addresses as well.  False: a scan could not tell it from others. */
bool look_ranges_widen(struct scan_range *range, uintptr_t start, uintptr_t end);

/* Whether the block of the loader's holds a thread-local block of a module that went. */
bool look_ranges_is_tls(uintptr_t start, uintptr_t end);

/* Whether the address is in data of the C library, the C++ runtime or the loader. */
bool look_ranges_is_runtime(uintptr_t address);
/* Whether it is in data of the loader alone. */
bool look_ranges_is_loader(uintptr_t address);
/* The addresses of the library among them that has the address; false: none has. */
bool look_ranges_runtime(uintptr_t address, uintptr_t *start, uintptr_t *end);

/* What an address belongs to, as far as pointers into unmapped images go. */
enum look_owner {
	LOOK_OWNER_NONE,    /* no object: heaps, mappings */
	LOOK_OWNER_OBJECT,  /* the host, a module */
	LOOK_OWNER_RUNTIME, /* the C or C++ runtime */
	LOOK_OWNER_IGNORED, /* the loader, the unwinder, the shim: what they hold they do not use */
};
enum look_owner look_ranges_owner(uintptr_t address);

/*
 * The thread whose thread-local block, of a loaded module, begins in the block
 * of the loader's; 0: it is none.
 */
pid_t look_ranges_tls_of(const struct world *world, uintptr_t start, uintptr_t end);

/* Gives its own memory back. */
void look_ranges_end(void);

#endif
