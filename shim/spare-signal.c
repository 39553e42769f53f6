/* SPDX-License-Identifier: MIT */
#include "shim/spare-signal.h"

#include <signal.h>
#include <stdbool.h>

#include "shim/sys.h"

#define REALTIME_FIRST 34
#define REALTIME_LAST 64

static bool is_free(int number, bool ignored_too, void (*handler)(int, siginfo_t *, void *),
	struct arch_sigaction *host)
{
	if (sys_call6(SYS_rt_sigaction, number, 0, (long)host, sizeof(uint64_t), 0, 0))
		return false;
	if (host->handler == handler) {
		*host = (struct arch_sigaction){.handler = NULL};
		return true;
	}
	return !host->handler || (ignored_too && (void *)host->handler == (void *)SIG_IGN);
}

int spare_signal_take(void (*handler)(int, siginfo_t *, void *), unsigned long flags, uint64_t mask,
	struct arch_sigaction *host)
{
	const struct arch_sigaction action = {
		.handler = handler,
		.flags = flags | SA_RESTART | ARCH_SA_RESTORER,
		.restorer = arch_restorer,
		.mask = mask,
	};
	int number = SIGURG;

	if (!is_free(SIGURG, true, handler, host)) {
		number = REALTIME_LAST;
		while (number >= REALTIME_FIRST && !is_free(number, false, handler, host))
			number--;
		if (number < REALTIME_FIRST)
			return 0;
	}
	return sys_call6(SYS_rt_sigaction, number, (long)&action, 0, sizeof(uint64_t), 0, 0)
		       ? 0
		       : number;
}
