/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "shim/arena.h"
#include "shim/generation.h"
#include "shim/handles.h"
#include "shim/ledger.h"
#include "shim/lock.h"
#include "shim/object-image.h"
#include "shim/opens.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/sys.h"
#include "shim/thread.h"

#define OPENINGS 256u
#define OPENING_NS UINT64_C(1000000000) /* at most, from dlopen to the loader's count */
#define KNOWN 256u			/* stacks that are remembered */

static struct open_site *spare;
static struct lock opens_lock;

static struct open_site *site_take(void)
{
	struct open_site *site;

	if (!lock_take(&opens_lock))
		return NULL;
	site = spare;
	if (site)
		spare = site->next;
	lock_give(&opens_lock);
	if (!site)
		return arena_take(sizeof(*site));
	memset(site, 0, sizeof(*site));
	return site;
}

static void site_give(struct open_site *site)
{
	if (!lock_take(&opens_lock))
		return;
	site->next = spare;
	spare = site;
	lock_give(&opens_lock);
}

static bool site_visit(void *data, uintptr_t pc, uintptr_t cfa)
{
	struct open_site *site = data;

	site->pcs[site->frame_count++] = pc;
	return site->frame_count < OPENS_FRAMES;
}

static struct session_generation *record_of(const struct object *object)
{
	const struct generation *generation = generation_at(object->generation);

	return object->generation && generation->record
		       ? session_record(SESSION_GENERATIONS, generation->record)
		       : NULL;
}

/* In the session once, however often the module is loaded from there. */
static uint32_t stack_of(const struct open_site *site)
{
	static uint32_t stacks[KNOWN]; /* by hash; what is displaced is written again */
	uint64_t frames[OPENS_FRAMES], hash = site->frame_count;
	uint32_t *known;

	for (unsigned int i = 0; i < site->frame_count; i++) {
		frames[i] = place_frame(site->pcs[i]);
		hash = (hash ^ frames[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	if (!site->frame_count)
		return 0;
	known = &stacks[hash % KNOWN];
	for (unsigned int i = 0; *known && i < site->frame_count; i++)
		if (*known + i >= session->table[SESSION_FRAMES].record_count ||
			*(uint64_t *)session_record(SESSION_FRAMES, *known + i) != frames[i])
			*known = 0;
	if (!*known)
		*known = session_add_frames(frames, site->frame_count);
	return *known;
}

/* Who opens may have been reloaded, to another address; and another may lie where it did. */
static bool is_alike(const struct open_site *one, const struct open_site *other)
{
	if (one->stack && other->stack)
		return one->stack == other->stack;
	return one->frame_count == other->frame_count &&
	       !memcmp(one->pcs, other->pcs, one->frame_count * sizeof(one->pcs[0]));
}

/* Counts the call with others of the same stack.  True: the site is the object's now. */
static bool site_add(struct object *object, struct open_site *site)
{
	struct session_generation *record = record_of(object);

	if (record)
		record->opens++;
	site->stack = record ? stack_of(site) : 0;
	for (struct open_site *other = object->sites; other; other = other->next)
		if (is_alike(other, site)) {
			other->times++;
			return false;
		}
	site->times = 1;
	site->next = object->sites;
	object->sites = site;
	return true;
}

/* Several threads may open the same object. */
static void site_tell(struct object *object, struct open_site *site)
{
	bool added;

	if (!lock_take(&opens_lock))
		return;
	added = site_add(object, site);
	lock_give(&opens_lock);
	if (!added)
		site_give(site);
}

/* Names are told apart by a hash: the strings may be unmapped while somebody asks. */
static uint64_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(14695981039346656037);

	for (; name && *name; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(1099511628211);
	return hash;
}

/*
 * What each thread is about to open: until the loader has counted it, nobody
 * else sees that.  By thread id; of two with the same place one is not seen.
 */
static struct opening {
	_Atomic uint64_t name;	   /* hash; 0: none */
	_Atomic uint64_t since_ns; /* 0: not any more */
	_Atomic uint32_t tid;
} openings[OPENINGS];

static void opens_announce(uint64_t name)
{
	struct opening *opening = &openings[lock_self() % OPENINGS];

	atomic_store(&opening->tid, lock_self());
	atomic_store(&opening->name, name);
	atomic_store(&opening->since_ns, session_clock());
}

void opens_again(void)
{
	struct opening *opening = &openings[lock_self() % OPENINGS];

	if (atomic_load(&opening->tid) == lock_self())
		atomic_store(&opening->since_ns, session_clock());
}

void opens_over(void)
{
	struct opening *opening = &openings[lock_self() % OPENINGS];

	if (atomic_load(&opening->tid) == lock_self())
		atomic_store(&opening->since_ns, 0);
}

bool opens_are_coming(const struct object *object)
{
	uint64_t now = session_clock();

	for (unsigned int i = 0; i < OPENINGS; i++) {
		uint64_t name = atomic_load(&openings[i].name);

		if (name &&
			(name == object->names[0] || name == object->names[1] ||
				name == object->names[2]) &&
			atomic_load(&openings[i].tid) != lock_self() &&
			now - atomic_load(&openings[i].since_ns) < OPENING_NS)
			return true;
	}
	return false;
}

struct search {
	uint64_t name;
	struct stat status;
	struct object *found;
	uint64_t found_name;
	uint32_t record; /* of its generation */
};

/* As the loader does: by name, and only then by what the name leads to. */
static void search_visit(struct object *object, void *data)
{
	struct search *search = data;
	if (!object->generation || search->found)
		return;
	if (search->name == object->names[0] || search->name == object->names[1] ||
		search->name == object->names[2] ||
		(search->status.st_ino && search->status.st_dev == object->device &&
			search->status.st_ino == object->inode)) {
		search->found = object;
		search->found_name = object->names[0];
		search->record = generation_at(object->generation)->record;
	}
}

struct object *opens_search(const char *file, uint32_t *record)
{
	struct search search = {.name = name_hash(file)};

	if (generation_alive && strchr(file, '/'))
		sys_call6(SYS_newfstatat, AT_FDCWD, (long)file, (long)&search.status, 0, 0, 0);
	opens_announce(search.name);
	if (generation_alive)
		objects_each(search_visit, &search);
	if (search.found && search.found_name != search.name)
		opens_announce(search.found_name);
	*record = search.record;
	return search.found;
}

struct start_search {
	const char *file;
	const struct object *found;
};

/* What was there at the start never goes, so its names can be read at any time. */
static void start_visit(struct object *object, void *data)
{
	struct start_search *search = data;
	const char *soname;

	if (search->found || object->generation || object->load || !object->map)
		return;
	soname = image_soname(object);
	if (!strcmp(object->name, search->file) || !strcmp(path_base(object->name), search->file) ||
		(soname && !strcmp(soname, search->file)))
		search->found = object;
}

/* True when it is known which object the module opens. */
static bool module_opens(const char *file, const struct object *found, struct origin origin)
{
	struct start_search search = {.file = file, .found = found};

	if (!origin.place)
		return false;
	if (!found)
		objects_each(start_visit, &search);
	if (search.found)
		handle_opened(search.found, origin);
	return search.found;
}

struct object *opens_begin(const char *file, const struct caller *caller, uint32_t *record)
{
	struct thread *thread = &thread_self;
	struct open_site *site = thread->open_site ? thread->open_site : site_take();
	struct object *found = file ? opens_search(file, record) : NULL;
	struct origin origin = file && *file ? caller_origin(caller) : (struct origin){0};

	if (module_opens(file, found, origin))
		origin.place = 0;
	thread->open_site = NULL;
	if (!site || !file)
		return found;
	memset(site, 0, sizeof(*site));
	site->origin = origin;
	unwind_walk(thread, caller->pc, caller->sp, caller->bp, site_visit, site);
	if (found)
		site_tell(found, site);
	else
		thread->open_site = site;
	return found;
}

void opens_identify(struct object *object)
{
	struct stat status;

	object->sites = NULL;
	object->names[0] = name_hash(object->name);
	object->names[1] = name_hash(path_base(object->name));
	object->names[2] = name_hash(image_soname(object));
	if (sys_call6(SYS_newfstatat, AT_FDCWD, (long)object->name, (long)&status, 0, 0, 0))
		return;
	object->device = status.st_dev;
	object->inode = status.st_ino;
}

void opens_attach(struct object *object)
{
	struct open_site *site = thread_self.open_site;

	/* nobody else has it before this dlopen is done */
	opens_over();
	thread_self.open_site = NULL;
	object->opened_for_ever = thread_self.open_for_ever;
	if (!site)
		return;
	handle_opened(object, site->origin);
	site_tell(object, site);
}

void opens_forget(struct object *object)
{
	struct open_site *next;

	for (struct open_site *site = object->sites; site; site = next) {
		next = site->next;
		site_give(site);
	}
	object->sites = NULL;
}

void opens_fork_child(void)
{
	opens_lock.owner = 0;
}
