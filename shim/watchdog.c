/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "shim/arch.h"
#include "shim/blockers.h"
#include "shim/generation.h"
#include "shim/lock.h"
#include "shim/objects.h"
#include "shim/places.h"
#include "shim/session.h"
#include "shim/settings.h"
#include "shim/spare-signal.h"
#include "shim/sys.h"
#include "shim/tasks.h"
#include "shim/thread.h"
#include "shim/unload.h"
#include "shim/unwind.h"
#include "shim/watchdog.h"

/* One call of watchdog_run; they nest when a finalizer unloads something itself. */
struct watch {
	struct watch *outer;
	void *mark[5]; /* of __builtin_setjmp */
	uint32_t generation, number;
	bool abandon;
};

/* One handler for all threads that unload at the same time. */
static struct {
	struct lock lock;
	unsigned int users;
	int number;		    /* of the signal, 0: none could be had */
	struct arch_sigaction host; /* what was there before */
} handler;

static __thread struct watch *innermost __attribute__((tls_model("initial-exec")));

struct stack {
	uint64_t frames[BLOCKER_FRAMES];
	unsigned int count;
};

static void stack_note(const struct watch *watch, pid_t tid, const struct stack *stack)
{
	struct session_note like = {
		.kind = SESSION_NOTE_TIMEOUT,
		.generation = watch->generation,
		.thread = (uint32_t)tid,
		.stack_count = stack->count,
	};
	char name[TASK_NAME_SIZE] = "";
	int tasks = tasks_open();

	like.object = ((struct session_generation *)session_record(
			       SESSION_GENERATIONS, watch->generation))
			      ->object;
	like.stack = stack->count ? session_add_frames(stack->frames, stack->count) : 0;
	if (tasks >= 0) {
		task_name_read(tasks, tid, name);
		sys_close(tasks);
	}
	session_note_add(&like, name);
}

/* Our own functions stand between dlclose and the finalizer: nobody's business. */
static void stack_add(struct stack *stack, uintptr_t pc)
{
	if (CODE_CLASS(code_of(pc - 1)) != CODE_SHIM)
		stack->frames[stack->count++] = place_frame(pc);
}

static void stack_of_context(const ucontext_t *context, struct stack *stack)
{
	struct unwind_frame frame = {.interrupted = true};
	uintptr_t registers[ARCH_REGISTERS];
	struct thread walker = {.inside = 1};

	arch_context_registers(context, registers);
	frame.pc = registers[ARCH_RIP];
	frame.sp = registers[ARCH_SP];
	frame.bp = registers[ARCH_RBP];
	do {
		stack_add(stack, frame.pc);
	} while (stack->count < BLOCKER_FRAMES && unwind_step(&walker, &frame) == UNWIND_STEPPED);
}

static void caller_of_context(const ucontext_t *context, struct world_caller *caller)
{
	static const unsigned char saved[] = {
		ARCH_RBX, ARCH_RBP, ARCH_R12, ARCH_R13, ARCH_R14, ARCH_R15};
	uintptr_t registers[ARCH_REGISTERS];

	arch_context_registers(context, registers);
	*caller = (struct world_caller){.sp = registers[ARCH_SP], .pc = registers[ARCH_RIP]};
	for (size_t i = 0; i < sizeof(saved); i++)
		caller->saved[caller->saved_count++] = registers[saved[i]];
}

/* The other threads of what goes, and those with a frame in it. */
static void others_note(const struct watch *watch, const ucontext_t *context)
{
	struct blockers *blockers = sys_map(sizeof(*blockers), PROT_READ | PROT_WRITE);
	struct world_caller caller;

	if (!blockers)
		return;
	if (unload_lock_try()) {
		caller_of_context(context, &caller);
		blockers->number = watch->number;
		blockers_find(blockers, &caller);
		unload_unlock();
		for (size_t i = 0; i < blockers->count && i < BLOCKERS_MOST; i++) {
			const struct blocker *blocker = &blockers->list[i];
			struct stack stack = {.count = 0};

			for (unsigned int at = 0; at < blocker->frame_count; at++)
				stack_add(&stack, blocker->frames[at]);
			if (!blocker->calling && blocker->tid)
				stack_note(watch, blocker->tid, &stack);
		}
	}
	sys_unmap(blockers, sizeof(*blockers));
}

static void watch_report(const struct watch *watch, const ucontext_t *context)
{
	struct session_generation *record = session_record(SESSION_GENERATIONS, watch->generation);
	struct stack stack = {.count = 0};

	thread_self.inside++;
	stack_of_context(context, &stack);
	stack_note(watch, (pid_t)lock_self(), &stack);
	others_note(watch, context);
	/* last: who waits for it finds the notes there */
	__atomic_fetch_or(&record->how, SESSION_TIMED_OUT, __ATOMIC_RELEASE);
	thread_self.inside--;
}

static void watch_handle(int number, siginfo_t *info, void *context)
{
	struct watch *watch = innermost;
	int saved = errno;

	if (info->si_code != SI_TIMER || !watch || info->si_value.sival_ptr != watch)
		return;
	watch_report(watch, context);
	errno = saved;
	if (watch->abandon)
		__builtin_longjmp(watch->mark, 1);
}

/* A real-time signal ours keeps: a late one would end the process. */
static bool handler_install(void)
{
	if (!handler.number || handler.number == SIGURG)
		handler.number = spare_signal_take(watch_handle, SA_SIGINFO, 0, &handler.host);
	return handler.number != 0;
}

static bool handler_take(void)
{
	bool taken;

	if (!lock_take(&handler.lock))
		return false;
	taken = handler.users || handler_install();
	handler.users += taken;
	lock_give(&handler.lock);
	return taken;
}

static void handler_give(void)
{
	struct arch_sigaction now;

	if (!lock_take(&handler.lock))
		return;
	if (!--handler.users && handler.number == SIGURG &&
		!sys_call6(SYS_rt_sigaction, SIGURG, 0, (long)&now, sizeof(uint64_t), 0, 0) &&
		now.handler == watch_handle)
		sys_call6(SYS_rt_sigaction, SIGURG, (long)&handler.host, 0, sizeof(uint64_t), 0, 0);
	lock_give(&handler.lock);
}

static bool timer_start(struct watch *watch, int *timer)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = handler.number};
	const struct itimerspec after = {
		.it_value = {settings.timeout_ms / 1000, settings.timeout_ms % 1000 * 1000000l}};

	event.sigev_value.sival_ptr = watch;
	event._sigev_un._tid = (pid_t)lock_self();
	if (sys_call(SYS_timer_create, CLOCK_MONOTONIC, &event, timer))
		return false;
	sys_call6(SYS_timer_settime, *timer, 0, (long)&after, 0, 0, 0);
	return true;
}

/* Apart, so that nothing of it is kept in registers across the jump. */
__attribute__((noinline)) static bool watch_guarded(
	struct watch *watch, void (*run)(void *data), void *data)
{
	if (__builtin_setjmp(watch->mark))
		return false;
	run(data);
	return true;
}

bool watchdog_run(
	uint32_t generation, uint32_t number, bool abandon, void (*run)(void *data), void *data)
{
	struct watch watch = {
		.outer = innermost, .generation = generation, .number = number, .abandon = abandon};
	unsigned char closing = thread_self.closing;
	unsigned int inside = thread_self.inside;
	uint64_t open, mask = 0;
	bool done, timed = false;
	int timer;

	if (!settings.timeout_ms || !handler_take()) {
		run(data);
		return true;
	}
	open = 1ull << (handler.number - 1);
	sys_call6(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&open, (long)&mask, sizeof(mask), 0, 0);
	innermost = &watch;
	timed = timer_start(&watch, &timer);
	done = watch_guarded(&watch, run, data);
	innermost = watch.outer;
	if (timed)
		sys_call(SYS_timer_delete, timer, 0, 0);
	sys_call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof(mask), 0, 0);
	thread_self.closing = closing;
	thread_self.inside = inside;
	handler_give();
	return done;
}

void watchdog_fork_child(void)
{
	handler.lock.owner = 0;
	handler.users = 0;
}
