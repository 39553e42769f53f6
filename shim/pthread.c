/* SPDX-License-Identifier: MIT */
/*
 * The functions that create threads.  A module's thread begins in a routine of
 * ours, which is gone from the stack when the module's begins: it ends with a
 * jump, so that pthread_exit, cancellation and backtraces are as without it.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <threads.h>

#include "shim/children.h"
#include "shim/generation.h"
#include "shim/ledger.h"
#include "shim/module.h"
#include "shim/next.h"
#include "shim/settings.h"
#include "shim/sys.h"
#include "shim/thread.h"
#include "shim/threads.h"

static void *thread_start(void *data)
{
	struct owned_thread *owned = data;
	void *(*run)(void *) = owned->run;
	void *argument = owned->argument;

	thread_owned_begin(owned);
	return run(argument);
}

static int thread_start_int(void *data)
{
	struct owned_thread *owned = data;
	int (*run)(void *) = owned->run_int;
	void *argument = owned->argument;

	thread_owned_begin(owned);
	return run(argument);
}

/*
 * A thread that libc knows nothing of: its thread pointer may be its creator's
 * or anything.  Nothing runs in it after this but its system call to exit.
 */
static int thread_start_bare(void *data)
{
	struct owned_thread *owned = data;
	int result;

	threads_begin(owned, sys_gettid());
	result = owned->run_int(owned->argument);
	threads_end(owned);
	return result;
}

/*
 * A child process, or a thread of the host.  One that shares our memory, and
 * our thread-locals too while we wait for it, is as vfork's; and so is one with
 * a copy of our memory, since no handlers of fork ran: the session is not its.
 */
#define CLONE_AS_VFORK (CLONE_VM | CLONE_VFORK)
static int clone_unowned(int (*start)(void *), void *stack, int flags, void *argument,
	void *parent_tid, void *tls, void *child_tid)
{
	bool vforked = thread_self.vforked;
	int result;

	if (!(flags & CLONE_VM) || (flags & (CLONE_AS_VFORK | CLONE_SETTLS)) == CLONE_AS_VFORK)
		thread_self.vforked = true;
	result = next.clone(start, stack, flags, argument, parent_tid, tls, child_tid);
	thread_self.vforked = vforked;
	return result;
}

/*
 * Who called is not seen where a function ends in a jump to the creating one,
 * but whose code the thread runs is: the place is the host's stack then.
 */
static struct origin origin_by_start(const struct caller *caller, uintptr_t start)
{
	struct unwind_frame frame = {.pc = caller->pc, .sp = caller->sp, .bp = caller->bp};
	uintptr_t pcs[SETTINGS_FRAMES_MAX];
	enum unwind_step step = UNWIND_STEPPED;
	unsigned int count = 0;
	struct object *object = object_of(start);
	struct origin origin = {.generation = object ? object->generation : 0};

	if (!origin.generation)
		return origin;
	while (step == UNWIND_STEPPED && count < settings.frames) {
		pcs[count++] = frame.pc;
		step = unwind_step(&thread_self, &frame);
	}
	origin.place = place_find(object, pcs, count, 0, step == UNWIND_CUT);
	return origin;
}

/* NULL: the host's thread, or one that cannot be recorded.  Keeps errno. */
static struct owned_thread *owned_make(const uintptr_t *frame, uintptr_t bp, uintptr_t start)
{
	struct caller caller = caller_of(frame, bp);
	struct owned_thread *made = NULL;
	struct origin origin = {0};
	int saved = errno;
	uint32_t code;

	if (module_may_own(caller.pc, &code))
		origin = module_origin(&caller, code);
	if (thread_self.inside || origin.place == HEAP_PLACE_LOADER)
		return NULL;
	thread_self.inside++;
	if (!origin.place)
		origin = origin_by_start(&caller, start);
	if (origin.place && origin.generation) {
		places_settle();
		made = threads_new(origin, start);
	}
	thread_self.inside--;
	errno = saved;
	return made;
}

static inline bool may_be_owned(void)
{
	return __builtin_expect(__atomic_load_n(&generation_alive, __ATOMIC_RELAXED) != 0, 0);
}

RELIB_EXPORT int pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct owned_thread *owned = NULL;
	int result;

	if (!next_ready() || !next.pthread_create)
		return EAGAIN;
	if (may_be_owned())
		owned = owned_make(frame, CALLER_BP(frame), (uintptr_t)start);
	if (!owned)
		return next.pthread_create(thread, attr, start, argument);
	owned->run = start;
	owned->argument = argument;
	result = next.pthread_create(thread, attr, thread_start, owned);
	if (result)
		threads_take_back(owned);
	return result;
}

RELIB_EXPORT int thrd_create(thrd_t *thread, thrd_start_t start, void *argument)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct owned_thread *owned = NULL;
	int result;

	if (!next_ready() || !next.thrd_create)
		return thrd_error;
	if (may_be_owned())
		owned = owned_make(frame, CALLER_BP(frame), (uintptr_t)start);
	if (!owned)
		return next.thrd_create(thread, start, argument);
	owned->run_int = start;
	owned->argument = argument;
	result = next.thrd_create(thread, thread_start_int, owned);
	if (result != thrd_success)
		threads_take_back(owned);
	return result;
}

RELIB_EXPORT int clone(int (*start)(void *), void *stack, int flags, void *argument, ...)
{
	const uintptr_t *frame = CALLER_FRAME();
	struct owned_thread *owned = NULL;
	void *parent_tid, *tls, *child_tid;
	va_list more;
	int result;

	/* what was not given is whatever stands there, as it would be in libc, and not used */
	va_start(more, argument);
	parent_tid = va_arg(more, void *);
	tls = va_arg(more, void *);
	child_tid = va_arg(more, void *);
	va_end(more);
	if (!next_ready() || !next.clone) {
		errno = ENOSYS;
		return -1;
	}
	if ((flags & CLONE_THREAD) && may_be_owned())
		owned = owned_make(frame, CALLER_BP(frame), (uintptr_t)start);
	if (!owned) {
		result = clone_unowned(start, stack, flags, argument, parent_tid, tls, child_tid);
		if (result > 0 && !(flags & (CLONE_THREAD | CLONE_PARENT)))
			child_started(result, call_origin(frame));
		return result;
	}
	owned->run_int = start;
	owned->argument = argument;
	result = next.clone(thread_start_bare, stack, flags, owned, parent_tid, tls, child_tid);
	if (result < 0)
		threads_take_back(owned);
	return result;
}
