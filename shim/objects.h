/* SPDX-License-Identifier: MIT */
/*
 * The module table: which object a code address belongs to, and what kind of
 * object that is.
 *
 * Answered by a table of pages in two levels: two loads, no lock, exact for any
 * number of objects.  It is changed only inside the loader's own lock: an
 * object is entered when it is mapped, before its constructors run, and taken
 * out when the loader frees its link map, before its addresses can be used
 * again.  Code that no object covers (a JIT's) is unknown, and the host's.
 */
#ifndef RELIB_OBJECTS_H
#define RELIB_OBJECTS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum code_class {
	CODE_UNKNOWN,
	CODE_HOST,    /* program, libraries loaded at start, untracked ones */
	CODE_MODULE,  /* tracked */
	CODE_RUNTIME, /* C and C++ runtime, --through libraries: look behind them */
	CODE_LOADER,
	CODE_SHIM,
};

#define CODE_CLASS(code) ((enum code_class)((code) >> 28))
#define CODE_SLOT(code) ((code)&0x0fffffffu)

struct object {
	uintptr_t start, end; /* mapped, from the first to the last segment */
	uintptr_t bias;
	const ElfW(Phdr) * phdr;
	unsigned int phnum;
	const unsigned char *unwind; /* .eh_frame_hdr, or NULL */
	const struct link_map *map;  /* the loader's; its handle.  NULL when not known */
	const char *name;	     /* as the loader knows it; valid while mapped */
	size_t tls_module;	     /* 0: no thread-locals */
	size_t tls_size;	     /* of each thread's block, bytes */
	size_t tls_least;	     /* the smallest of all that had its number so far */
	uint32_t slot;
	uint32_t record;     /* in SESSION_OBJECTS; 0: none made yet */
	uint32_t seen;	     /* number of the last look that found it */
	uint32_t load;	     /* number of the dlopen that brought it, 0: at start */
	uint16_t generation; /* slot, see generation.h; 0: not tracked */
	uint8_t class;	     /* enum code_class */
	bool registered;
	/* unloading; under the lock of unloads */
	bool finalized;	      /* its finalizers ran, and are not there for the loader */
	bool revived;	      /* and its initializers ran again since */
	bool abandoned;	      /* a finalizer did not come back: never to be unloaded */
	bool opened_for_ever; /* with RTLD_NODELETE */
	bool left_behind;     /* what brought it is gone, and why it stays is recorded */
	bool left_for_ever;   /* and that is not going to change */
	uint32_t owed;	      /* dlclose calls that were kept from the loader */
	uint32_t in_flight;   /* dlclose calls that are under way */
	uintptr_t fini_array_size, fini; /* of the finalizers that are not there */
	uint64_t device, inode;		 /* of the file of a tracked object, 0: not known */
	uint64_t names[3];		 /* hashes of its name, the name's last part, its soname */
	struct open_site *sites;	 /* who opened it, see opens.h */
	bool unwinder;			 /* libgcc_s */
};

#define CODE_REGION_SHIFT 30
#define CODE_REGIONS (1u << 17) /* of 1 GiB: 47 bits of addresses */
#define CODE_PAGE_SHIFT 12
extern uint32_t *code_regions[CODE_REGIONS];

/* Class and slot of a code address; 0 when no object covers it. */
static inline uint32_t code_of(uintptr_t address)
{
	uint32_t *pages;

	if (__builtin_expect(address >> CODE_REGION_SHIFT >= CODE_REGIONS, 0))
		return 0;
	pages = __atomic_load_n(&code_regions[address >> CODE_REGION_SHIFT], __ATOMIC_ACQUIRE);
	if (!pages)
		return 0;
	return __atomic_load_n(&pages[(address >> CODE_PAGE_SHIFT) &
				       ((1u << (CODE_REGION_SHIFT - CODE_PAGE_SHIFT)) - 1)],
		__ATOMIC_RELAXED);
}

/* The object of a code value; NULL for unknown code. */
struct object *object_at(uint32_t code);
static inline struct object *object_of(uintptr_t address)
{
	return object_at(code_of(address));
}

/* Raised whenever an object is taken out: what was learnt of code before is void. */
extern uint32_t objects_epoch;

/* True once the process has called dlopen: before that there is nothing to track. */
extern bool objects_active;

/* Enters what is mapped at start.  Once, from the constructor. */
void objects_initialise(void);

/* The process is about to call dlopen; the first time, sets objects_active. */
void objects_activate(void);

/*
 * Compares the table with the loader's list, and enters what is new: as
 * modules where loading is true (the caller is inside the loader's dlopen, at
 * (pc, sp, bp)), else as the host's.  Takes the loader's list lock.  True when
 * there was something new.
 */
bool objects_sync(bool loading, uintptr_t pc, uintptr_t sp, uintptr_t bp);

/*
 * The loader frees this block, inside its lock: if it is the link map of an
 * object, that object is gone.
 */
void objects_link_map_freed(const void *block);

/* Calls visit for every registered object, under the table's lock. */
void objects_each(void (*visit)(struct object *object, void *data), void *data);

/* The object whose link map (handle) that is, or NULL. */
struct object *objects_of_map(const void *map);

/* The program itself, or NULL. */
struct object *objects_program(void);

/* The handle of a loaded object with that soname, or NULL. */
void *objects_handle(const char *soname);

/* The index of the object's record in the session; made at need.  0: none. */
uint32_t object_record(struct object *object);
/* The same for a module: its file is kept too. */
uint32_t object_record_tracked(struct object *object);
void object_record_fork_child(void);

void objects_fork_child(void);

#endif
