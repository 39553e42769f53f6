/* SPDX-License-Identifier: MIT */
/*
 * Stopping the world with a signal: each thread notes its registers in the
 * handler and stays there until it is let go.
 *
 * The way for where ptrace is not allowed.  It fails, and lets everybody go,
 * when a thread blocks the signal.  The handler is the kernel's business and
 * ours alone: libc's sigaction is not used, as the shim interposes it and as it
 * would touch errno.
 */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <time.h>

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/spare-signal.h"
#include "shim/tasks.h"
#include "shim/world-ways.h"

#define TICK_NS 5000000 /* how often silent threads are looked at */

enum signal_phase { SIGNAL_IDLE, SIGNAL_COLLECT };

/*
 * What the handler sees.  It can run long after its stop has ended, in a
 * thread that had just taken the signal, and in a child that was forked
 * meanwhile; then the phase or the process tells it to leave.
 */
static struct {
	struct world_request *request;
	pid_t tgid;
	int phase;
	int inside;		    /* threads between entry and exit of the handler */
	int answered;		    /* counts up, wakes the caller */
	int number;		    /* of the signal */
	struct arch_sigaction host; /* what was installed before */
} signal_world;

static long signal_wait(int *word, int value, long ns)
{
	const struct timespec timeout = {0, ns};

	return raw(SYS_futex, word, FUTEX_WAIT, value, ns ? &timeout : NULL, NULL, 0);
}

static void signal_wake(int *word)
{
	raw(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static int signal_get(const int *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static void signal_answer(const ucontext_t *context)
{
	struct world_request *request = signal_world.request;
	const pid_t tid = (pid_t)raw(SYS_gettid);
	const size_t count = __atomic_load_n(&request->seat_count, __ATOMIC_ACQUIRE);
	struct world_thread *thread;
	size_t i;

	for (i = 0; i < count && request->seats[i].tid != tid; i++)
		;
	/* Not one we asked: a stray signal.  It will be asked. */
	if (i == count)
		return;
	/* Seat 0 is threads[1]: threads[0] is the caller. */
	thread = &request->threads[i + 1];
	if (request->seats[i].state == SEAT_NEW) {
		thread->tid = tid;
		arch_context_registers(context, thread->registers);
		thread->register_count = ARCH_REGISTERS;
		thread->sp = thread->registers[ARCH_SP];
		thread->tp = arch_thread_pointer();
		thread->vectors = arch_context_vectors(context, &thread->vectors_size);
		__atomic_store_n(&request->seats[i].state, SEAT_STOPPED, __ATOMIC_RELEASE);
		__atomic_add_fetch(&signal_world.answered, 1, __ATOMIC_SEQ_CST);
		signal_wake(&signal_world.answered);
	}
	while (signal_get(&signal_world.phase) == SIGNAL_COLLECT)
		signal_wait(&signal_world.phase, SIGNAL_COLLECT, 0);
}

static void signal_handle(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	if ((pid_t)raw(SYS_getpid) != signal_world.tgid)
		return;
	__atomic_add_fetch(&signal_world.inside, 1, __ATOMIC_SEQ_CST);
	if (signal_get(&signal_world.phase) == SIGNAL_COLLECT)
		signal_answer(context);
	if (__atomic_sub_fetch(&signal_world.inside, 1, __ATOMIC_SEQ_CST) == 0 &&
		signal_get(&signal_world.phase) == SIGNAL_IDLE)
		signal_wake(&signal_world.inside);
}

/* Free to take: ours from a fork during a stop, or nobody's. */
static bool signal_choose(void)
{
	signal_world.number = spare_signal_take(signal_handle, SA_SIGINFO | SA_ONSTACK,
		~0ull & ~(1ull << (SIGSYS - 1)), &signal_world.host);
	return signal_world.number != 0;
}

/*
 * Gives the signal back.  Being ignored for a moment drops the ones that are
 * still on their way, to a thread that blocked them: later they would end the
 * program, if the signal is a real-time one.
 */
static void signal_give_back(void)
{
	const struct arch_sigaction ignore = {
		.handler = (void (*)(int, siginfo_t *, void *))(void *)SIG_IGN,
	};

	raw(SYS_rt_sigaction, signal_world.number, &ignore, NULL, sizeof(uint64_t));
	raw(SYS_rt_sigaction, signal_world.number, &signal_world.host, NULL, sizeof(uint64_t));
}

static int signal_ask(void *data, pid_t tid)
{
	struct world_request *request = data;
	struct world_seat *seat;
	long result;

	if (tid == request->tid || world_seat_of(request, tid))
		return 0;
	seat = world_seat_add(request, tid);
	if (!seat)
		return -1;
	request->found_new = true;
	result = raw(SYS_tgkill, request->tgid, tid, signal_world.number);
	if (result == -ESRCH) {
		seat->state = SEAT_GONE;
	} else if (result < 0) {
		world_failed(request, (int)-result, "a thread cannot be sent a signal");
		return -1;
	}
	return 0;
}

/* A thread that has not answered yet.  False when it never will, and that is a failure. */
static bool signal_may_answer(struct world_request *request, struct world_seat *seat, bool late)
{
	struct task_state state;

	if (!task_read(request->tasks, seat->tid, &state)) {
		/* Ended, unless there is no descriptor left to read it with. */
		if (raw(SYS_tgkill, request->tgid, seat->tid, 0) == -ESRCH)
			seat->state = SEAT_GONE;
		return true;
	}
	if (state.state == 'Z' || state.state == 'X') {
		if (seat->tid == request->tgid)
			seat->state = SEAT_ENDED_LEADER;
		else
			seat->state = SEAT_GONE;
		return true;
	}
	/* Libc blocks all signals for a moment where a thread begins or ends. */
	if (late && (state.blocked >> (signal_world.number - 1) & 1))
		return world_failed(request, EBUSY, "a thread blocks signals");
	return true;
}

static bool signal_all_answered(const struct world_request *request)
{
	size_t i;

	for (i = 0; i < request->seat_count; i++)
		if (__atomic_load_n(&request->seats[i].state, __ATOMIC_ACQUIRE) == SEAT_NEW)
			return false;
	return true;
}

static bool signal_await(struct world_request *request)
{
	while (!signal_all_answered(request)) {
		const int answered = signal_get(&signal_world.answered);
		const uint64_t now = world_now();
		size_t i;

		if (now > request->deadline)
			return world_failed(request, ETIMEDOUT, "a thread did not stop in time");
		if (signal_all_answered(request))
			break;
		if (signal_wait(&signal_world.answered, answered, TICK_NS) != -ETIMEDOUT)
			continue;
		for (i = 0; i < request->seat_count; i++) {
			struct world_seat *seat = &request->seats[i];

			if (__atomic_load_n(&seat->state, __ATOMIC_ACQUIRE) == SEAT_NEW &&
				!signal_may_answer(request, seat,
					now + WORLD_STOP_NS * 4 / 5 > request->deadline))
				return false;
		}
	}
	return true;
}

static bool signal_stop_all(struct world_request *request)
{
	request->deadline = world_now() + WORLD_STOP_NS;
	for (;;) {
		long missing;
		int result;

		request->found_new = false;
		request->hint = 0;
		result = tasks_each(
			request->tasks, request->list, request->list_size, signal_ask, request);
		if (result < 0)
			return world_failed(request, -result, "the threads cannot be listed");
		if (!signal_await(request))
			return false;
		if (request->found_new)
			continue;
		missing = world_missing(request);
		if (missing < 0)
			return world_failed(
				request, (int)-missing, "the threads cannot be counted");
		if (missing == 0)
			return true;
		if (world_now() > request->deadline)
			return world_failed(request, ETIMEDOUT, "the threads do not come to rest");
		raw(SYS_sched_yield);
	}
}

/* Closes the gaps that threads left which ended; how many there are with the caller. */
static size_t signal_pack(struct world_request *request)
{
	size_t i, count = 1;

	for (i = 0; i < request->seat_count; i++) {
		if (request->seats[i].state != SEAT_STOPPED)
			continue;
		if (count != i + 1)
			request->threads[count] = request->threads[i + 1];
		count++;
	}
	return count;
}

/*
 * look runs on the stack of the calling thread; if that overflows, the fault
 * is handled on a stack of ours.
 */
static void signal_look(struct world_request *request, size_t count)
{
	const stack_t ours = {.ss_sp = request->fault_stack, .ss_size = request->fault_stack_size};
	stack_t host = {.ss_flags = SS_DISABLE};
	bool changed;

	changed = raw(SYS_sigaltstack, &ours, &host) == 0;
	fault_watch();
	world_look(request, count);
	fault_unwatch();
	if (changed)
		raw(SYS_sigaltstack, &host, NULL);
}

static void signal_let_go(struct world_request *request)
{
	int inside;

	__atomic_store_n(&signal_world.phase, SIGNAL_IDLE, __ATOMIC_SEQ_CST);
	signal_wake(&signal_world.phase);
	request->stopped_ns = world_now() - request->stopped_ns;
	/* They read the request, which goes away. */
	while ((inside = signal_get(&signal_world.inside)) > 0)
		signal_wait(&signal_world.inside, inside, TICK_NS);
	signal_give_back();
}

bool world_by_signal(struct world_request *request)
{
	if (signal_world.tgid != request->tgid) {
		/* The first time, or the child of a fork: no thread came along. */
		signal_world.tgid = request->tgid;
		__atomic_store_n(&signal_world.inside, 0, __ATOMIC_SEQ_CST);
	}
	signal_world.request = request;
	if (!signal_choose())
		return world_failed(request, EBUSY, "the host uses every signal");
	request->stopped_ns = world_now();
	__atomic_store_n(&signal_world.phase, SIGNAL_COLLECT, __ATOMIC_SEQ_CST);
	if (signal_stop_all(request))
		signal_look(request, signal_pack(request));
	signal_let_go(request);
	return request->looked;
}
