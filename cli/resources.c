/* SPDX-License-Identifier: MIT */
#include "cli/resources.h"

static const char *const kind_names[SESSION_RESOURCES] = {
	[SESSION_DESCRIPTOR] = "descriptor",
	[SESSION_STREAM] = "stream",
	[SESSION_DIRECTORY] = "directory",
	[SESSION_MAPPING] = "mapping",
	[SESSION_SEGMENT] = "segment",
	[SESSION_SHM_NAME] = "shm-name",
	[SESSION_SHM_ID] = "shm-id",
	[SESSION_SEM] = "semaphore",
	[SESSION_SEM_NAME] = "semaphore-name",
	[SESSION_SEM_ID] = "semaphore-id",
	[SESSION_QUEUE_NAME] = "queue-name",
	[SESSION_QUEUE_ID] = "queue-id",
	[SESSION_TEMPORARY] = "temporary",
	[SESSION_TIMER] = "timer",
	[SESSION_INTERVAL_TIMER] = "interval-timer",
	[SESSION_SIGNAL_HANDLER] = "signal-handler",
	[SESSION_SIGNAL_STACK] = "signal-stack",
	[SESSION_EXIT_HANDLER] = "exit-handler",
	[SESSION_FORK_HANDLER] = "fork-handler",
	[SESSION_ENVIRONMENT] = "environment",
	[SESSION_SYSLOG] = "syslog",
	[SESSION_LOCALE] = "locale",
	[SESSION_BUFFER] = "buffer",
	[SESSION_HANDLE] = "handle",
	[SESSION_CHILD] = "child",
	[SESSION_MUTEX] = "mutex",
	[SESSION_FILE_LOCK] = "file-lock",
	[SESSION_UMASK] = "umask",
	[SESSION_WORKING_DIRECTORY] = "working-directory",
};

const char *resource_kind_name(uint32_t kind)
{
	return kind < SESSION_RESOURCES && kind_names[kind] ? kind_names[kind] : "unknown";
}

const char *leftover_state_name(uint32_t state)
{
	static const char *const names[] = {"unknown", "left", "kept", "taken-back", "given-back"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : names[0];
}

struct tally balance_left(const struct session_balance *balance)
{
	return tally_less(tally_of(balance->acquired, balance->acquired_bytes),
		tally_of(balance->given_back, balance->given_back_bytes));
}
