/* SPDX-License-Identifier: MIT */
#include "shim/fault.h"

#define FAULTS 4

static const int fault_signals[FAULTS] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE};

struct fault_guard *volatile fault_innermost;

/* What the host had installed, and what was sent to it while we were in its place. */
static struct {
	struct arch_sigaction actions[FAULTS];
	siginfo_t sent[FAULTS];
	volatile bool was_sent[FAULTS];
} fault_host;

/* Its own function: __builtin_longjmp must not be used where __builtin_setjmp is. */
__attribute__((noinline, noreturn)) static void fault_return(
	struct fault_guard *guard, uintptr_t address)
{
	guard->address = address;
	fault_innermost = guard->outer;
	__builtin_longjmp(guard->mark, 1);
}

void fault_pass_on(const struct fault_guard *guard)
{
	if (fault_innermost)
		fault_return(fault_innermost, guard->address);
}

static void fault_handle(int number, siginfo_t *info, void *context)
{
	unsigned int i = 0;

	(void)context;
	while (i < FAULTS - 1 && fault_signals[i] != number)
		i++;
	if (info->si_code <= 0) {
		fault_host.sent[i] = *info;
		fault_host.was_sent[i] = true;
		return;
	}
	if (fault_innermost)
		fault_return(fault_innermost, (uintptr_t)info->si_addr);
	/* Not inside any guard: as if we had never been here, it faults again for the host. */
	raw(SYS_rt_sigaction, number, &fault_host.actions[i], NULL, sizeof(uint64_t));
}

void fault_watch(void)
{
	/* NODEFER: a guard is reached without sigreturn, the mask must not have changed. */
	const struct arch_sigaction action = {
		.handler = fault_handle,
		.flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK | ARCH_SA_RESTORER,
		.restorer = arch_restorer,
	};
	unsigned int i;

	fault_innermost = NULL;
	for (i = 0; i < FAULTS; i++) {
		fault_host.was_sent[i] = false;
		raw(SYS_rt_sigaction, fault_signals[i], &action, &fault_host.actions[i],
			sizeof(uint64_t));
	}
}

void fault_unwatch(void)
{
	unsigned int i;

	for (i = 0; i < FAULTS; i++)
		raw(SYS_rt_sigaction, fault_signals[i], &fault_host.actions[i], NULL,
			sizeof(uint64_t));
	for (i = 0; i < FAULTS; i++)
		if (fault_host.was_sent[i])
			raw(SYS_rt_tgsigqueueinfo, raw(SYS_getpid), raw(SYS_gettid),
				fault_signals[i], &fault_host.sent[i]);
	fault_innermost = NULL;
}
