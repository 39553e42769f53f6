/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/signal-stacks.h"
#include "shim/stdio-streams.h"
#include "shim/thread.h"

void hooks_take_back(uint16_t generation)
{
	int saved = errno;

	thread_self.inside++;
	/* while the signals that they send still have their handlers */
	timers_take_back(generation);
	intervals_take_back(generation);
	signals_take_back(generation);
	signal_stacks_take_back(generation);
	exits_take_back(generation);
	fork_handlers_take_back(generation);
	environment_take_back(generation);
	streams_flush(generation);
	buffers_take_back(generation);
	syslog_take_back(generation);
	cookies_take_back(generation);
	thread_self.inside--;
	errno = saved;
}

void hooks_fork_child(void)
{
	hook_entries_fork_child();
	buffers_fork_child();
	syslog_fork_child();
	environment_fork_child();
	signal_stacks_fork_child();
	cookies_fork_child();
	stdio_streams_fork_child();
}

void hooks_fork_settle(void)
{
	timers_fork_settle();
	intervals_fork_settle();
	signal_stacks_fork_settle();
}
