/* SPDX-License-Identifier: MIT */
/*
 * Rings of liburing, which makes its system calls itself.  It may have been
 * loaded with a plugin and for it alone, where the loader does not look for
 * us: so the real functions are looked for in the objects, at each call.
 */
#include <linux/io_uring.h>
#include <string.h>

#include "shim/object-image.h"
#include "shim/opening.h"
#include "shim/thread.h"

#ifndef IORING_SETUP_REGISTERED_FD_ONLY
#define IORING_SETUP_REGISTERED_FD_ONLY (1U << 15)
#endif

/* What struct io_uring begins with, in all versions of the library so far. */
struct ring {
	char queues[192];
	unsigned int flags;
	int fd;
};

int io_uring_queue_init(unsigned int entries, struct ring *ring, unsigned int flags);
int io_uring_queue_init_params(unsigned int entries, struct ring *ring, void *parameters);
void io_uring_queue_exit(struct ring *ring);

struct search {
	const char *name;
	void *found;
};

static void visit_object(struct object *object, void *data)
{
	struct search *search = data;

	if (!search->found && object->class != CODE_SHIM)
		search->found = (void *)image_function(object, search->name);
}

static void *function_of(const char *name)
{
	struct search search = {.name = name};

	objects_each(visit_object, &search);
	return search.found;
}

static int ring_opened(const struct ring *ring, int result, struct origin origin)
{
	if (!result && !(ring->flags & IORING_SETUP_REGISTERED_FD_ONLY))
		descriptor_opened(ring->fd, origin);
	return result;
}

/* One of the two calls the other, perhaps through us. */
RELIB_EXPORT int io_uring_queue_init(unsigned int entries, struct ring *ring, unsigned int flags)
{
	int (*function)(unsigned int, struct ring *, unsigned int);
	int result;

	*(void **)&function = function_of("io_uring_queue_init");
	if (!function)
		return -ENOSYS;
	thread_self.inside++;
	result = function(entries, ring, flags);
	thread_self.inside--;
	return ring_opened(ring, result, CALL_ORIGIN());
}

RELIB_EXPORT int io_uring_queue_init_params(
	unsigned int entries, struct ring *ring, void *parameters)
{
	int (*function)(unsigned int, struct ring *, void *);
	int result;

	*(void **)&function = function_of("io_uring_queue_init_params");
	if (!function)
		return -ENOSYS;
	thread_self.inside++;
	result = function(entries, ring, parameters);
	thread_self.inside--;
	return ring_opened(ring, result, CALL_ORIGIN());
}

RELIB_EXPORT void io_uring_queue_exit(struct ring *ring)
{
	void (*function)(struct ring *);

	*(void **)&function = function_of("io_uring_queue_exit");
	if (!function)
		return;
	if (!(ring->flags & IORING_SETUP_REGISTERED_FD_ONLY))
		descriptor_closing(ring->fd);
	function(ring);
}
