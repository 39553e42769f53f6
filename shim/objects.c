/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/auxv.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/guard.h"
#include "shim/link-maps.h"
#include "shim/loader.h"
#include "shim/lock.h"
#include "shim/object-image.h"
#include "shim/objects.h"
#include "shim/opens.h"
#include "shim/settings.h"
#include "shim/signal-stacks.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define CHUNK_SHIFT 8
#define CHUNKS 256u /* 65,536 objects: the kernel allows about as many mappings */
#define FRESH_MOST 256u
#define TLS_NUMBERS 1024u /* told apart */

uint32_t *code_regions[CODE_REGIONS];
uint32_t objects_epoch = 1;
bool objects_active;

static struct object *chunks[CHUNKS];
static uint32_t object_limit = 1; /* slot 0 is never used */
static struct lock objects_lock;
static uint32_t looks;
static unsigned long long seen_adds, seen_subs;

struct object *object_at(uint32_t code)
{
	uint32_t slot = CODE_SLOT(code);

	return slot ? &chunks[slot >> CHUNK_SHIFT][slot & ((1u << CHUNK_SHIFT) - 1)] : NULL;
}

static uint32_t *region_of(uintptr_t address)
{
	uint32_t **region = &code_regions[address >> CODE_REGION_SHIFT];

	if (!*region)
		__atomic_store_n(region,
			arena_take(sizeof(uint32_t) << (CODE_REGION_SHIFT - CODE_PAGE_SHIFT)),
			__ATOMIC_RELEASE);
	return *region;
}

/* Gives the pages of the object's code a value; with 0 takes only what is its own. */
static void code_set(const struct object *object, uint32_t value)
{
	for (unsigned int i = 0; i < object->phnum; i++) {
		const ElfW(Phdr) *segment = object->phdr + i;
		uintptr_t from = (object->bias + segment->p_vaddr) >> CODE_PAGE_SHIFT;
		uintptr_t to = (object->bias + segment->p_vaddr + segment->p_memsz + 4095) >>
			       CODE_PAGE_SHIFT;

		if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) ||
			to > (uintptr_t)CODE_REGIONS << (CODE_REGION_SHIFT - CODE_PAGE_SHIFT))
			continue;
		for (uintptr_t page = from; page < to; page++) {
			uint32_t *region = region_of(page << CODE_PAGE_SHIFT);

			if (region)
				__atomic_store_n(
					&region[page &
						((1u << (CODE_REGION_SHIFT - CODE_PAGE_SHIFT)) -
							1)],
					value, __ATOMIC_RELEASE);
		}
	}
}

/* The phdrs of an unmapped image cannot be read: its range is cleared whole. */
static void code_clear(const struct object *object)
{
	for (uintptr_t at = object->start; at < object->end; at += 1u << CODE_PAGE_SHIFT) {
		uint32_t *region = code_regions[at >> CODE_REGION_SHIFT];
		uint32_t *page;

		if (!region)
			continue;
		page = &region[(at >> CODE_PAGE_SHIFT) &
			       ((1u << (CODE_REGION_SHIFT - CODE_PAGE_SHIFT)) - 1)];
		if (CODE_SLOT(*page) == object->slot)
			__atomic_store_n(page, 0, __ATOMIC_RELEASE);
	}
}

static struct object *object_take(void)
{
	uint32_t slot;

	for (slot = 1; slot < object_limit; slot++)
		if (!object_at(slot)->slot)
			break;
	if (slot >> CHUNK_SHIFT >= CHUNKS)
		return NULL;
	if (!chunks[slot >> CHUNK_SHIFT])
		chunks[slot >> CHUNK_SHIFT] = arena_take(sizeof(struct object) << CHUNK_SHIFT);
	if (!chunks[slot >> CHUNK_SHIFT])
		return NULL;
	if (slot == object_limit)
		object_limit++;
	object_at(slot)->slot = slot;
	return object_at(slot);
}

static void object_drop(struct object *object)
{
	code_clear(object);
	__atomic_fetch_add(&objects_epoch, 1, __ATOMIC_SEQ_CST);
	if (object->generation)
		guard_image(object->start, object->end, generation_at(object->generation)->record);
	if (object->generation)
		signal_stacks_keep(object->start, object->end);
	generation_gone(object->generation);
	opens_forget(object);
	memset(object, 0, sizeof(*object));
}

static struct object *object_find(const ElfW(Phdr) * phdr, uintptr_t bias)
{
	for (uint32_t slot = 1; slot < object_limit; slot++) {
		struct object *object = object_at(slot);

		if (object->slot && object->phdr == phdr && object->bias == bias)
			return object;
	}
	return NULL;
}

static bool name_starts(const char *name, const char *const *starts)
{
	for (; *starts; starts++)
		if (!strncmp(name, *starts, strlen(*starts)))
			return true;
	return false;
}

static bool is_runtime(const struct object *object, const char *name)
{
	static const char *const starts[] = {
		"libc.so.",
		"libstdc++.so.",
		"libgcc_s.so.",
		"libm.so.",
		"libpthread.so.",
		"libdl.so.",
		"librt.so.",
		"libc++.so.",
		"libc++abi.so.",
		"libanl.so.",
		NULL,
	};

	return name_starts(name, starts) ||
	       (*settings.through && settings_list_matches(settings.through, object->name));
}

static bool is_unwinder(const struct object *object)
{
	const char *soname = image_soname(object);

	return soname && !strncmp(soname, "libgcc_s.so.", sizeof("libgcc_s.so.") - 1);
}

/* What an object is that is not tracked. */
static enum code_class class_of(const struct object *object)
{
	const char *soname = image_soname(object);
	uintptr_t here = (uintptr_t)&class_of;

	if (here >= object->start && here < object->end)
		return CODE_SHIM;
	if (object->start == getauxval(AT_BASE))
		return CODE_LOADER;
	return is_runtime(object, soname ? soname : path_base(object->name)) ? CODE_RUNTIME
									     : CODE_HOST;
}

struct look {
	uint32_t number;
	bool changed;
	bool more; /* there were more than it could take */
	unsigned int fresh_count;
	struct object *fresh[FRESH_MOST];
};

static const struct link_map *map_find(const ElfW(Phdr) * phdr, unsigned int phnum, uintptr_t bias)
{
	const struct link_map *map;

	for (unsigned int i = 0; i < phnum; i++) {
		if (phdr[i].p_type != PT_DYNAMIC)
			continue;
		for (map = _r_debug.r_map; map; map = map->l_next)
			if ((uintptr_t)map->l_ld == bias + phdr[i].p_vaddr)
				return map;
	}
	return NULL;
}

static void object_enter(const struct dl_phdr_info *info, struct look *look)
{
	struct object *object;

	if (look->fresh_count == FRESH_MOST || !(object = object_take())) {
		look->more = look->fresh_count == FRESH_MOST;
		return;
	}
	object->bias = info->dlpi_addr;
	object->phdr = info->dlpi_phdr;
	object->phnum = info->dlpi_phnum;
	object->name = info->dlpi_name ? info->dlpi_name : "";
	object->tls_module = info->dlpi_tls_modid;
	object->seen = look->number;
	object->load = thread_self.load;
	object->map = map_find(object->phdr, object->phnum, object->bias);
	image_read(object);
	look->fresh[look->fresh_count++] = object;
}

static int look_at(struct dl_phdr_info *info, size_t size, void *data)
{
	struct look *look = data;
	struct object *object;

	if (!look->changed) {
		if (info->dlpi_adds == seen_adds && info->dlpi_subs == seen_subs)
			return 1;
		seen_adds = info->dlpi_adds;
		seen_subs = info->dlpi_subs;
		look->changed = true;
	}
	if (!lock_take(&objects_lock))
		return 0;
	object = object_find(info->dlpi_phdr, info->dlpi_addr);
	if (!object)
		object_enter(info, look);
	else if (object->seen < look->number)
		object->seen = look->number;
	lock_give(&objects_lock);
	return 0;
}

struct object *objects_of_map(const void *map)
{
	for (uint32_t slot = 1; map && slot < object_limit; slot++) {
		struct object *object = object_at(slot);

		if (object->slot && object->map == map && object->registered)
			return object;
	}
	return NULL;
}

/* Objects whose link map we did not see freed: loaded before the first dlopen. */
static void look_for_gone(const struct look *look)
{
	if (!lock_take(&objects_lock))
		return;
	for (uint32_t slot = 1; slot < object_limit; slot++) {
		struct object *object = object_at(slot);

		if (object->slot && object->registered && object->seen < look->number)
			object_drop(object);
	}
	lock_give(&objects_lock);
}

/* An object of the same dlopen that needs this one and came before it. */
static struct object *parent_of(const struct object *object)
{
	const char *soname = image_soname(object);

	for (uint32_t slot = object_limit; --slot;) {
		struct object *other = object_at(slot);

		if (other->slot && other != object && other->registered &&
			other->load == object->load &&
			(image_needs(other, path_base(object->name)) ||
				(soname && image_needs(other, soname))))
			return other;
	}
	return NULL;
}

static bool is_wanted(const struct object *object)
{
	static char path[4096]; /* under the table's lock; a thread's stack may be small */

	if (!*settings.track)
		return true;
	loader_real_path(object->name, path, sizeof(path));
	return settings_list_matches(settings.track, path) ||
	       settings_list_matches(settings.track, object->name);
}

/* The loader gives the number of a module that went to the next that comes. */
static size_t tls_least(const struct object *object)
{
	static size_t least[TLS_NUMBERS];
	size_t *of = &least[object->tls_module % TLS_NUMBERS];

	if (!*of || object->tls_size < *of)
		*of = object->tls_size;
	return *of;
}

/* Decides what a fresh object is, and makes its code known. */
static void object_register(struct object *object, bool loading, bool explicit)
{
	struct object *parent = loading ? parent_of(object) : NULL;
	bool tracked;

	object->class = class_of(object);
	object->unwinder = is_unwinder(object);
	object->tls_least = object->tls_module ? tls_least(object) : 0;
	tracked = loading && (object->class == CODE_HOST || object->class == CODE_RUNTIME) &&
		  (parent ? parent->generation != 0 : explicit && is_wanted(object));
	if (tracked)
		object->generation = generation_begin(object, parent ? parent->generation : 0);
	if (object->generation && object->class == CODE_HOST)
		object->class = CODE_MODULE;
	if (object->generation)
		opens_identify(object);
	if (object->generation && !parent)
		opens_attach(object);
	object->registered = true;
	code_set(object, (uint32_t)object->class << 28 | object->slot);
}

bool objects_sync(bool loading, uintptr_t pc, uintptr_t sp, uintptr_t bp)
{
	struct look look = {.number = __atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED)};
	bool explicit, some = false;

	do {
		look.fresh_count = 0;
		look.more = false;
		dl_iterate_phdr(look_at, &look);
		if (!look.changed)
			return false;
		if (!look.more)
			look_for_gone(&look);
		if (!look.fresh_count)
			return some;
		explicit = loading && loader_is_in_open(pc, sp, bp);
		if (!lock_take(&objects_lock))
			return some;
		for (unsigned int i = 0; i < look.fresh_count; i++)
			object_register(look.fresh[i], loading, explicit);
		lock_give(&objects_lock);
		some = true;
	} while (look.more);
	return some;
}

void objects_link_map_freed(const void *block)
{
	if (!lock_take(&objects_lock))
		return;
	for (uint32_t slot = 1; slot < object_limit; slot++) {
		struct object *object = object_at(slot);

		if (object->slot && object->map == block) {
			object_drop(object);
			break;
		}
	}
	lock_give(&objects_lock);
}

void objects_each(void (*visit)(struct object *object, void *data), void *data)
{
	if (!lock_take(&objects_lock))
		return;
	for (uint32_t slot = 1; slot < object_limit; slot++) {
		struct object *object = object_at(slot);

		if (object->slot && object->registered)
			visit(object, data);
	}
	lock_give(&objects_lock);
}

struct object *objects_program(void)
{
	/* the loader lists it first, without a name */
	return object_limit > 1 && object_at(1)->slot && !*object_at(1)->name ? object_at(1) : NULL;
}

void *objects_handle(const char *soname)
{
	void *handle = NULL;

	if (!lock_take(&objects_lock))
		return NULL;
	for (uint32_t slot = 1; slot < object_limit && !handle; slot++) {
		struct object *object = object_at(slot);
		const char *name = object->slot && object->map ? image_soname(object) : NULL;

		if (name && !strcmp(name, soname))
			handle = (void *)object->map;
	}
	lock_give(&objects_lock);
	return handle;
}

void objects_initialise(void)
{
	objects_sync(false, 0, 0, 0);
}

void objects_activate(void)
{
	static struct lock activating;

	if (!lock_take(&activating))
		return;
	if (!objects_active) {
		/* what the C library loaded for itself since the start */
		objects_sync(false, 0, 0, 0);
		/* while nobody else can be in a dlopen of ours */
		link_maps_known();
		__atomic_store_n(&objects_active, true, __ATOMIC_RELEASE);
	}
	lock_give(&activating);
}

void objects_fork_child(void)
{
	objects_lock.owner = 0;
}
