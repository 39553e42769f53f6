/* SPDX-License-Identifier: MIT */
/*
 * Stopping the world with ptrace.
 *
 * A process cannot trace itself, so a helper does: a process of its own that
 * shares memory, directory and descriptors with the host.  It has no exit
 * signal: no SIGCHLD is sent for it and waitpid(-1) does not see it.  It
 * shares the thread-local storage of the calling thread too, which waits
 * meanwhile; so it makes system calls of its own and calls nothing of libc.
 *
 * If the helper dies, the kernel lets all threads it traced go on.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "shim/arch.h"
#include "shim/fault.h"
#include "shim/tasks.h"
#include "shim/world-ways.h"

#define TICK_US 5000	       /* how often a wait for a thread looks at the clock */
#define RESTART_NO_HANDLER 514 /* the kernel's ERESTARTNOHAND */
#define EVENT_STOP 128	       /* PTRACE_EVENT_STOP */

static void helper_tick(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	(void)context;
}

/* A clock that interrupts wait4, so that no thread can hold us up for ever. */
static void helper_clock(bool on)
{
	const struct arch_sigaction action = {
		.handler = helper_tick,
		.flags = SA_SIGINFO | ARCH_SA_RESTORER,
		.restorer = arch_restorer,
	};
	const uint64_t alarm = 1ull << (SIGALRM - 1);
	struct itimerval every = {{0, on ? TICK_US : 0}, {0, on ? TICK_US : 0}};

	if (on) {
		raw(SYS_rt_sigaction, SIGALRM, &action, NULL, sizeof(uint64_t));
		raw(SYS_rt_sigprocmask, SIG_UNBLOCK, &alarm, NULL, sizeof(alarm));
	}
	raw(SYS_setitimer, ITIMER_REAL, &every, NULL);
}

/*
 * PTRACE_SEIZE said EPERM: either the thread is ending or we may not.  True
 * when it is ending or has ended.
 */
static bool helper_refused(struct world_request *request, pid_t tid)
{
	struct task_state state;

	if (!task_read(request->tasks, tid, &state))
		return true;
	if (state.state == 'Z' || state.state == 'X' || state.state == 'x') {
		/* Another thread will be gone in a moment; the first stays to the end. */
		if (tid == request->tgid)
			request->ended_leader = true;
		return true;
	}
	if (state.tracer)
		return world_failed(request, EBUSY, "a thread is traced, by a debugger perhaps");
	return world_failed(request, EPERM, "ptrace is not permitted");
}

static int helper_seize(void *data, pid_t tid)
{
	struct world_request *request = data;
	struct world_seat *seat;
	long result;

	if (tid == request->tid || world_seat_of(request, tid))
		return 0;
	if (tid == request->tgid && request->ended_leader)
		return 0;
	result = raw(SYS_ptrace, PTRACE_SEIZE, tid, 0, 0);
	if (result == -ESRCH)
		return 0;
	if (result == -EPERM)
		return helper_refused(request, tid) ? 0 : -1;
	if (result < 0) {
		world_failed(request, (int)-result, "ptrace failed");
		return -1;
	}
	seat = world_seat_add(request, tid);
	if (!seat)
		return -1;
	/* ESRCH: it is ending; the wait will tell. */
	raw(SYS_ptrace, PTRACE_INTERRUPT, tid, 0, 0);
	request->found_new = true;
	return 0;
}

/* The wait was interrupted: has the thread ended in a way that is not reported? */
static bool helper_still_waits(struct world_request *request, struct world_seat *seat)
{
	struct task_state state;

	if (seat->tid == request->tgid && task_read(request->tasks, seat->tid, &state) &&
		(state.state == 'Z' || state.state == 'X')) {
		seat->state = SEAT_ENDED_LEADER;
		return false;
	}
	if (world_now() > request->deadline) {
		world_failed(request, ETIMEDOUT, "a thread did not stop in time");
		return false;
	}
	return true;
}

static bool helper_await(struct world_request *request, struct world_seat *seat)
{
	int status = 0;
	long result;

	while ((result = raw(SYS_wait4, seat->tid, &status, __WALL, NULL)) == -EINTR)
		if (!helper_still_waits(request, seat))
			return seat->state == SEAT_ENDED_LEADER;
	if (result < 0 || !WIFSTOPPED(status)) {
		seat->state = SEAT_GONE;
		return true;
	}
	seat->state = SEAT_STOPPED;
	if (status >> 16 == EVENT_STOP)
		/* SIGTRAP: our interruption.  Else it is stopped for its user as well. */
		seat->trapped = WSTOPSIG(status) == SIGTRAP;
	else
		/* About to take a signal: it takes it when it goes on. */
		seat->by_signal = (unsigned char)WSTOPSIG(status);
	return true;
}

static bool helper_stop_all(struct world_request *request)
{
	size_t waited = 0;

	request->deadline = world_now() + WORLD_STOP_NS;
	for (;;) {
		long missing;
		int result;

		request->found_new = false;
		request->hint = 0;
		result = tasks_each(
			request->tasks, request->list, request->list_size, helper_seize, request);
		if (result < 0)
			return world_failed(request, -result, "the threads cannot be listed");
		for (; waited < request->seat_count; waited++)
			if (!helper_await(request, &request->seats[waited]))
				return false;
		if (request->found_new)
			continue;
		/*
		 * All we know stand still.  The list can miss one while others
		 * end, so the kernel's count decides.
		 */
		missing = world_missing(request);
		if (missing < 0)
			return world_failed(
				request, (int)-missing, "the threads cannot be counted");
		if (missing == (request->ended_leader ? 1 : 0))
			return true;
		if (world_now() > request->deadline)
			return world_failed(request, ETIMEDOUT, "the threads do not come to rest");
		raw(SYS_sched_yield);
	}
}

static bool helper_read_thread(
	struct world_request *request, struct world_thread *thread, pid_t tid)
{
	struct iovec room = {thread->registers, sizeof(thread->registers)};
	size_t left = (size_t)(request->vectors_end - request->vectors);

	thread->tid = tid;
	if (raw(SYS_ptrace, PTRACE_GETREGSET, tid, NT_PRSTATUS, &room) < 0)
		return false;
	if (room.iov_len != ARCH_REGISTERS * sizeof(uintptr_t))
		return world_failed(request, ENOTSUP, "a thread runs code of another machine");
	thread->register_count = ARCH_REGISTERS;
	thread->sp = thread->registers[ARCH_SP];
	thread->tp = thread->registers[ARCH_TP];
	room.iov_base = request->vectors;
	room.iov_len = left < ARCH_VECTORS_MAX ? left : ARCH_VECTORS_MAX;
	thread->vectors = NULL;
	thread->vectors_size = 0;
	if (raw(SYS_ptrace, PTRACE_GETREGSET, tid, ARCH_NT_VECTORS, &room) == 0 ||
		raw(SYS_ptrace, PTRACE_GETREGSET, tid, NT_FPREGSET, &room) == 0) {
		thread->vectors = request->vectors;
		thread->vectors_size = room.iov_len & ~(size_t)7;
		request->vectors += (room.iov_len + 63) & ~(size_t)63;
		return true;
	}
	return world_failed(request, EIO, "the vector registers of a thread cannot be read");
}

/* 0 for a failure, else how many threads there are, the caller included. */
static size_t helper_read_all(struct world_request *request)
{
	size_t i, count = 1;

	for (i = 0; i < request->seat_count; i++) {
		struct world_seat *seat = &request->seats[i];

		if (seat->state != SEAT_STOPPED)
			continue;
		if (helper_read_thread(request, &request->threads[count], seat->tid)) {
			seat->trapped = seat->trapped &&
					arch_call_gave_up(request->threads[count].registers);
			count++;
			continue;
		}
		/* It was killed: the whole process is coming to its end. */
		world_failed(request, ESRCH, "a stopped thread has gone");
		return 0;
	}
	return count;
}

static void helper_let_go(struct world_request *request)
{
	size_t i;

	for (i = 0; i < request->seat_count; i++) {
		const struct world_seat *seat = &request->seats[i];

		if (seat->state != SEAT_STOPPED)
			continue;
		/*
		 * Some calls give up when the thread is merely stopped.  Let
		 * the kernel make them again, unless a handler is to run.
		 */
		if (seat->trapped && request->looking)
			raw(SYS_ptrace, PTRACE_POKEUSER, seat->tid, ARCH_RESULT * sizeof(uintptr_t),
				-RESTART_NO_HANDLER);
		raw(SYS_ptrace, PTRACE_DETACH, seat->tid, 0, seat->by_signal);
	}
}

static int helper_main(void *data)
{
	struct world_request *request = data;
	const stack_t fault_stack = {
		.ss_sp = request->fault_stack, .ss_size = request->fault_stack_size};
	uint64_t start;
	size_t count = 0;

	/* The thread that waits for us may be killed, by an exec of another one for example. */
	raw(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
	if (raw(SYS_getppid) != request->tgid)
		return 0;
	while (!__atomic_load_n(&request->go, __ATOMIC_ACQUIRE))
		raw(SYS_futex, &request->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	raw(SYS_sigaltstack, &fault_stack, NULL);
	fault_watch();
	helper_clock(true);
	start = world_now();
	if (helper_stop_all(request))
		count = helper_read_all(request);
	helper_clock(false);
	if (count)
		world_look(request, count);
	helper_let_go(request);
	request->stopped_ns = world_now() - start;
	return 0;
}

/* Until the helper has ended; it is ended if it takes far too long. */
static void helper_wait(struct world_request *request, pid_t pid)
{
	const uint64_t end = world_now() + 2 * WORLD_STOP_NS + WORLD_LOOK_NS;
	const struct timespec while_away = {0, 100000000};
	int status;

	while (__atomic_load_n(&request->helper, __ATOMIC_ACQUIRE)) {
		raw(SYS_futex, &request->helper, FUTEX_WAIT, 1, &while_away, NULL, 0);
		/* Not every death clears the word. */
		if (raw(SYS_wait4, pid, &status, __WALL | WNOHANG, NULL) != 0)
			return;
		/* A page it reads may wait for a stopped thread (userfaultfd, FUSE). */
		if (world_now() > end) {
			world_failed(request, ETIMEDOUT, "looking at memory took too long");
			raw(SYS_kill, pid, SIGKILL);
			break;
		}
	}
	while (raw(SYS_wait4, pid, &status, __WALL, NULL) == -EINTR)
		;
}

/* Whether Yama wants to be told by name who may trace us. */
static bool yama_is_on(void)
{
	char mode = '0';
	long fd = raw(SYS_openat, AT_FDCWD, "/proc/sys/kernel/yama/ptrace_scope",
		O_RDONLY | O_CLOEXEC, 0);

	if (fd < 0)
		return false;
	raw(SYS_read, fd, &mode, 1);
	raw(SYS_close, fd);
	return mode == '1';
}

static bool helper_run(struct world_request *request)
{
	const unsigned long flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_UNTRACED | CLONE_CHILD_CLEARTID;
	const bool yama = yama_is_on();
	long pid;

	request->go = 0;
	request->helper = 1;
	pid = arch_clone(flags, request->stack_end, &request->helper, helper_main, request);
	if (pid < 0)
		return world_failed(request, (int)-pid, "no helper process could be made");
	if (yama)
		raw(SYS_prctl, PR_SET_PTRACER, pid, 0, 0, 0);
	__atomic_store_n(&request->go, 1, __ATOMIC_RELEASE);
	raw(SYS_futex, &request->go, FUTEX_WAKE, 1, NULL, NULL, 0);
	helper_wait(request, (pid_t)pid);
	if (yama)
		raw(SYS_prctl, PR_SET_PTRACER, 0, 0, 0, 0);
	return request->looked || world_failed(request, ECHILD, "the helper process was killed");
}

/*
 * A process that is not dumpable is traced by nobody without privilege.  It
 * becomes so for the time of the stop; 2, which only the kernel can set, is
 * left alone.
 */
bool world_by_ptrace(struct world_request *request)
{
	bool done;

	if (helper_run(request))
		return true;
	if (request->error != EPERM || request->looking || raw(SYS_prctl, PR_GET_DUMPABLE) != 0 ||
		raw(SYS_prctl, PR_SET_DUMPABLE, 1) != 0)
		return false;
	request->error = 0;
	request->seat_count = 0;
	request->hint = 0;
	request->ended_leader = false;
	done = helper_run(request);
	raw(SYS_prctl, PR_SET_DUMPABLE, 0);
	return done;
}
