/* SPDX-License-Identifier: MIT */
#include "shim/segv.h"

#include <errno.h>
#include <string.h>

#include "shim/arch.h"
#include "shim/late.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/sys.h"

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

#define SEGV_BIT (UINT64_C(1) << (SIGSEGV - 1))

static struct {
	bool installed;
	int pid; /* a child that shares our memory has dispositions of its own */
	struct lock lock;
	struct arch_sigaction host; /* what it set */
	struct arch_sigaction ours;
} segv;

static long kernel_action(const struct arch_sigaction *set, struct arch_sigaction *old)
{
	return raw(SYS_rt_sigaction, SIGSEGV, set, old, sizeof(uint64_t));
}

static void mask_set(uint64_t mask)
{
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

static bool is_function(const struct arch_sigaction *action)
{
	return (uintptr_t)action->handler > (uintptr_t)SIG_IGN;
}

/* Whoever faults faults again, into the default action; what was sent is sent again. */
static void default_take(siginfo_t *info)
{
	struct arch_sigaction none = {.flags = segv.host.flags, .restorer = segv.host.restorer};

	kernel_action(&none, NULL);
	if (info->si_code <= 0)
		raw(SYS_rt_tgsigqueueinfo, raw(SYS_getpid), raw(SYS_gettid), SIGSEGV, info);
}

/*
 * The kernel put the frame on the alternate stack for us; the host's handler
 * wants it on the stack that was interrupted.  SIGSEGV is blocked: where there
 * is no room the process ends, as it would have.
 */
static struct arch_signal_frame *frame_move(struct arch_signal_frame *frame, ucontext_t *context)
{
	size_t size;
	const unsigned char *vectors = arch_context_vectors(context, &size);
	uintptr_t to = (uintptr_t)context->uc_mcontext.gregs[REG_RSP] - ARCH_RED_ZONE;
	struct arch_signal_frame *moved;

	size += 4; /* a mark at the end */
	to = (to - size) & ~(uintptr_t)63;
	if (vectors)
		memcpy((void *)to, vectors, size);
	moved = (void *)(((to - sizeof(*moved)) & ~(uintptr_t)15) - 8);
	memcpy(moved, frame, sizeof(*moved));
	if (vectors)
		((ucontext_t *)(void *)moved->context)->uc_mcontext.fpregs = (fpregset_t)to;
	if ((unsigned int)context->uc_stack.ss_flags & SS_AUTODISARM)
		raw(SYS_sigaltstack, &context->uc_stack, NULL);
	return moved;
}

static bool is_on(const stack_t *stack, uintptr_t address)
{
	return !(stack->ss_flags & SS_DISABLE) &&
	       address - (uintptr_t)stack->ss_sp < stack->ss_size;
}

__attribute__((noreturn)) static void host_enter(
	const struct arch_sigaction *host, siginfo_t *info, ucontext_t *context)
{
	struct arch_signal_frame *frame = arch_signal_frame_of(context);
	uint64_t mask;

	memcpy(&mask, &context->uc_sigmask, sizeof(mask));
	mask_set(mask | host->mask | SEGV_BIT);
	if (!(host->flags & SA_ONSTACK) && is_on(&context->uc_stack, (uintptr_t)frame) &&
		!is_on(&context->uc_stack, (uintptr_t)context->uc_mcontext.gregs[REG_RSP]) &&
		(void *)info == frame->info && !arch_on_valgrind())
		frame = frame_move(frame, context);
	if (host->flags & ARCH_SA_RESTORER)
		frame->restorer = host->restorer;
	if (host->flags & SA_NODEFER)
		mask_set(mask | host->mask);
	arch_signal_enter(frame, host->handler, SIGSEGV);
}

/* The host's action as of now, which its delivery may use up. */
static struct arch_sigaction host_take(bool is_ours)
{
	bool locked = lock_take(&segv.lock);
	struct arch_sigaction host = segv.host;

	if (is_ours && is_function(&host) && (host.flags & SA_RESETHAND))
		segv.host.handler = NULL; /* SIG_DFL */
	if (locked)
		lock_give(&segv.lock);
	return host;
}

static void segv_handle(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	bool is_ours = raw(SYS_getpid) == segv.pid;
	struct arch_sigaction host;

	(void)number;
	if (info->si_code > 0 && is_ours)
		late_fault(info, context);
	host = host_take(is_ours);
	errno = saved;
	if (is_function(&host))
		host_enter(&host, info, context);
	if (!host.handler || info->si_code > 0)
		default_take(info);
}

/* A call that is interrupted restarts, or not, as with the host's own action. */
static void ours_adapt(void)
{
	segv.ours.flags &= ~(unsigned long)SA_RESTART;
	if (!is_function(&segv.host) || (segv.host.flags & SA_RESTART))
		segv.ours.flags |= SA_RESTART;
}

/* By way of the C library: its restorer is the one that unwinders know. */
static bool ours_make(void)
{
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};

	if (!next_ready() || !next.sigaction || kernel_action(NULL, &segv.host))
		return false;
	action.sa_sigaction = segv_handle;
	sigfillset(&action.sa_mask);
	sigdelset(&action.sa_mask, SIGSEGV); /* a fault while reporting is caught */
	if (next.sigaction(SIGSEGV, &action, NULL) || kernel_action(NULL, &segv.ours))
		return false;
	ours_adapt();
	return !kernel_action(&segv.ours, NULL);
}

void segv_install(void)
{
	int saved = errno;

	if (segv.installed || !lock_take(&segv.lock))
		return;
	if (!segv.installed) {
		segv.pid = (int)raw(SYS_getpid);
		__atomic_store_n(&segv.installed, ours_make(), __ATOMIC_RELEASE);
	}
	lock_give(&segv.lock);
	errno = saved;
}

bool segv_expose(bool blocks, uint64_t *mask)
{
	const uint64_t all = ~UINT64_C(0);
	struct arch_sigaction old;

	/* not in a child that shares our memory: the call is about its own dispositions */
	if (!__atomic_load_n(&segv.installed, __ATOMIC_ACQUIRE) || (int)raw(SYS_getpid) != segv.pid)
		return false;
	if (blocks)
		raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, mask, sizeof(all));
	/* refused: we interrupted ourselves between the two, what is there is the host's */
	if (lock_take(&segv.lock)) {
		if (!kernel_action(&segv.host, &old) && old.handler == segv_handle)
			return true;
		/* set past us, by a system call: from now on it is as it is */
		kernel_action(&old, NULL);
		segv.installed = false;
		lock_give(&segv.lock);
	}
	if (blocks)
		mask_set(*mask);
	return false;
}

void segv_cover(bool blocks, const uint64_t *mask)
{
	kernel_action(NULL, &segv.host);
	ours_adapt();
	kernel_action(&segv.ours, NULL);
	lock_give(&segv.lock);
	if (blocks)
		mask_set(*mask);
}

void segv_fork_child(void)
{
	segv.lock.owner = 0;
	segv.pid = (int)raw(SYS_getpid);
}
