/* SPDX-License-Identifier: MIT */
#include "shim/world.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/tasks.h"
#include "shim/world-ways.h"

#define PAGE 4096u
#define STACK_SIZE (256u << 10)
#define FAULT_STACK_SIZE (64u << 10)
#define LIST_SIZE (32u << 10)
#define TRIES 3

uint64_t world_now(void)
{
	struct timespec now = {0, 0};

	raw(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool world_failed(struct world_request *request, int error, const char *why)
{
	if (!request->error) {
		request->error = error;
		request->why = why;
	}
	return false;
}

struct world_seat *world_seat_of(struct world_request *request, pid_t tid)
{
	size_t i, at = request->hint;

	for (i = 0; i < request->seat_count; i++, at++) {
		if (at >= request->seat_count)
			at = 0;
		if (request->seats[at].tid == tid) {
			request->hint = at + 1;
			return &request->seats[at];
		}
	}
	return NULL;
}

struct world_seat *world_seat_add(struct world_request *request, pid_t tid)
{
	struct world_seat *seat;

	if (request->seat_count == request->capacity) {
		world_failed(request, EAGAIN, "threads are made faster than they can be stopped");
		return NULL;
	}
	seat = &request->seats[request->seat_count];
	seat->tid = tid;
	seat->state = SEAT_NEW;
	seat->by_signal = 0;
	seat->trapped = 0;
	/* The signal's handler looks tids up meanwhile. */
	__atomic_store_n(&request->seat_count, request->seat_count + 1, __ATOMIC_RELEASE);
	return seat;
}

long world_missing(const struct world_request *request)
{
	long count = tasks_count(request->tasks);
	size_t i;

	if (count < 0)
		return count;
	count--; /* the caller */
	for (i = 0; i < request->seat_count; i++) {
		unsigned char state = __atomic_load_n(&request->seats[i].state, __ATOMIC_ACQUIRE);

		count -= state == SEAT_STOPPED || state == SEAT_ENDED_LEADER;
	}
	/* Below 0: one that we saw end was counted as stopped.  Look again. */
	return count < 0 ? 1 : count;
}

static void world_fill_caller(struct world_request *request)
{
	struct world_thread *thread = &request->threads[0];
	unsigned int i;

	thread->tid = request->tid;
	thread->sp = request->caller->sp;
	thread->tp = arch_thread_pointer();
	for (i = 0; i < request->caller->saved_count; i++)
		thread->registers[i] = request->caller->saved[i];
	thread->register_count = i;
	thread->vectors = NULL;
	thread->vectors_size = 0;
}

bool world_look(struct world_request *request, size_t thread_count)
{
	const struct world world = {
		.threads = request->threads,
		.thread_count = thread_count,
		.own_start = request->room,
		.own_end = request->room_end,
	};
	struct fault_guard guard;

	request->thread_count = thread_count;
	if (fault_caught(&guard))
		return world_failed(request, EFAULT, "looking at memory ended in a fault");
	request->looking = true;
	arch_valgrind_quiet(true);
	request->look(&world, request->data);
	arch_valgrind_quiet(false);
	request->looked = true;
	fault_leave(&guard);
	return true;
}

static size_t up(size_t size, size_t unit)
{
	return (size + unit - 1) & ~(unit - 1);
}

/*
 * All that stopping needs, in one mapping: the looker must be able to leave it
 * out, and nothing may be allocated once threads stand still with the
 * allocator's locks held.  Most of it is never touched.
 */
static struct world_request *world_room(size_t capacity)
{
	const size_t seats = up(sizeof(struct world_request) + 64, 64);
	const size_t threads = up(seats + capacity * sizeof(struct world_seat), 64);
	const size_t fixed = up(threads + capacity * sizeof(struct world_thread), PAGE);
	const size_t size = PAGE + STACK_SIZE + fixed + LIST_SIZE + FAULT_STACK_SIZE +
			    capacity * ARCH_VECTORS_MAX;
	struct world_request *request;
	unsigned char *at;
	long room;

	room = raw(SYS_mmap, NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room < 0 && room > -4096)
		return NULL;
	raw(SYS_madvise, room, size, MADV_DONTFORK);
	raw(SYS_mprotect, room, PAGE, PROT_NONE);
	at = (unsigned char *)room + PAGE + STACK_SIZE;
	request = (struct world_request *)(void *)at;
	request->room = (uintptr_t)room;
	request->room_end = (uintptr_t)room + size;
	request->stack = (unsigned char *)room + PAGE;
	request->stack_end = at;
	request->seats = (struct world_seat *)(void *)(at + seats);
	request->threads = (struct world_thread *)(void *)(at + threads);
	request->capacity = capacity;
	request->list = at + fixed;
	request->list_size = LIST_SIZE;
	request->fault_stack = request->list + LIST_SIZE;
	request->fault_stack_size = FAULT_STACK_SIZE;
	request->vectors = request->fault_stack + FAULT_STACK_SIZE;
	request->vectors_end = (unsigned char *)room + size;
	return request;
}

static bool world_try(struct world_request *request, unsigned int ways, struct world_result *result)
{
	if ((ways & WORLD_WAY_PTRACE) && world_by_ptrace(request)) {
		result->method = WORLD_PTRACE;
		return true;
	}
	if ((ways & WORLD_WAY_SIGNAL) && !request->looking) {
		request->error = 0;
		request->seat_count = 0;
		request->hint = 0;
		if (world_by_signal(request)) {
			result->method = WORLD_SIGNAL;
			return true;
		}
	}
	return false;
}

/*
 * Whether a helper and ptrace may be tried at all.  Under valgrind a clone of
 * this kind ends the program.  Where a seccomp filter is in force, either call
 * may be what it kills for: the helper's ptrace would at worst take the helper
 * (though before Linux 5.16 a fatal signal that dumps core takes along every
 * process with the same memory), but clone runs in the host itself.  A filter
 * cannot be asked beforehand, and tgkill and rt_sigaction are what abort() and
 * every sandboxed runtime use; so the signal it is.
 */
static unsigned int world_allowed(const struct world_request *request, unsigned int ways)
{
	struct task_state state;

	if (arch_on_valgrind() || !task_read(request->tasks, request->tid, &state) || state.seccomp)
		return ways & ~WORLD_WAY_PTRACE;
	return ways;
}

static bool world_stop_here(
	struct world_request *call, unsigned int ways, struct world_result *result)
{
	bool done = false;
	int try;

	for (try = 0; try < TRIES && !done; try++) {
		long count = tasks_count(call->tasks);
		struct world_request *request;

		call->error = 0;
		if (count < 0)
			return world_failed(call, (int)-count, "the threads cannot be counted");
		request = world_room((size_t)count * (2u << try) + 64);
		if (!request)
			return world_failed(call, ENOMEM, "no memory to stop the world with");
		request->caller = call->caller;
		request->look = call->look;
		request->data = call->data;
		request->tgid = call->tgid;
		request->tid = call->tid;
		request->tasks = call->tasks;
		world_fill_caller(request);
		done = world_try(request, world_allowed(request, ways), result);
		call->error = request->error;
		call->why = request->why;
		call->looking = request->looking;
		result->stopped_ns = request->stopped_ns;
		result->thread_count = request->thread_count;
		raw(SYS_munmap, request->room, request->room_end - request->room);
		if (call->error != EAGAIN || call->looking)
			break;
	}
	return done;
}

/*
 * Signals that a fault or a filter of the calling thread itself raises stay
 * open: blocked, they would end the program.
 */
static uint64_t world_blocked(void)
{
	static const unsigned char open[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
	uint64_t mask = ~0ull;
	size_t i;

	for (i = 0; i < sizeof(open); i++)
		mask &= ~(1ull << (open[i] - 1));
	return mask;
}

bool world_stop_ways(unsigned int ways, const struct world_caller *caller,
	void (*look)(const struct world *, void *), void *data, struct world_result *result)
{
	const uint64_t blocked = world_blocked();
	struct world_request call = {.caller = caller, .look = look, .data = data};
	uint64_t mask = 0;
	bool done;

	*result = (struct world_result){.method = WORLD_NONE};
	/* A handler must not run on the stack that is being looked at. */
	raw(SYS_rt_sigprocmask, SIG_BLOCK, &blocked, &mask, sizeof(mask));
	call.tgid = (pid_t)raw(SYS_getpid);
	call.tid = (pid_t)raw(SYS_gettid);
	call.tasks = tasks_open();
	if (call.tasks < 0) {
		done = world_failed(
			&call, -call.tasks, "/proc is needed to stop the world and cannot be read");
	} else {
		done = world_stop_here(&call, ways, result);
		raw(SYS_close, call.tasks);
	}
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
	if (!done) {
		result->method = WORLD_NONE;
		result->error = call.error ? call.error : ENOSYS;
		result->why = call.why ? call.why : "no way to stop the world was allowed";
	}
	return done;
}

bool world_stop(const struct world_caller *caller, void (*look)(const struct world *, void *),
	void *data, struct world_result *result)
{
	return world_stop_ways(WORLD_WAYS, caller, look, data, result);
}
