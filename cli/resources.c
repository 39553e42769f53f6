/* SPDX-License-Identifier: MIT */
#include "cli/resources.h"

#include "cli/options.h"
#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct resource_kind kinds[KINDS] = {
	[KIND_UNKNOWN] = {"unknown", "thing", "things", "taken back", false},
	[SESSION_DESCRIPTOR] = {"descriptor", "descriptor", "descriptors", "closed", false},
	[SESSION_STREAM] = {"stream", "stream", "streams", "closed", false},
	[SESSION_DIRECTORY] = {"directory", "directory stream", "directory streams", "closed",
		false},
	[SESSION_MAPPING] = {"mapping", "mapping", "mappings", "unmapped", false},
	[SESSION_SEGMENT] = {"segment", "shared segment", "shared segments", "detached", false},
	[SESSION_SHM_NAME] = {"shm-name", "shared memory name", "shared memory names", "removed",
		false},
	[SESSION_SHM_ID] = {"shm-id", "shared memory id", "shared memory ids", "removed", false},
	[SESSION_SEM] = {"semaphore", "semaphore", "semaphores", "closed", false},
	[SESSION_SEM_NAME] = {"semaphore-name", "semaphore name", "semaphore names", "removed",
		false},
	[SESSION_SEM_ID] = {"semaphore-id", "semaphore id", "semaphore ids", "removed", false},
	[SESSION_QUEUE_NAME] = {"queue-name", "queue name", "queue names", "removed", false},
	[SESSION_QUEUE_ID] = {"queue-id", "queue id", "queue ids", "removed", false},
	[SESSION_TEMPORARY] = {"temporary", "temporary file", "temporary files", "removed", false},
	[SESSION_TIMER] = {"timer", "timer", "timers", "deleted", false},
	[SESSION_INTERVAL_TIMER] = {"interval-timer", "interval timer", "interval timers",
		"stopped", false},
	[SESSION_SIGNAL_HANDLER] = {"signal-handler", "signal handler", "signal handlers",
		"taken back", false},
	[SESSION_SIGNAL_STACK] = {"signal-stack", "signal stack", "signal stacks", "taken back",
		false},
	[SESSION_EXIT_HANDLER] = {"exit-handler", "exit handler", "exit handlers", "taken back",
		false},
	[SESSION_FORK_HANDLER] = {"fork-handler", "fork handler", "fork handlers", "taken back",
		false},
	[SESSION_ENVIRONMENT] = {"environment", "environment change", "environment changes",
		"taken back", true},
	[SESSION_SYSLOG] = {"syslog", "syslog ident", "syslog idents", "taken back", false},
	[SESSION_LOCALE] = {"locale", "locale change", "locale changes", NULL, true},
	[SESSION_BUFFER] = {"buffer", "stream buffer", "stream buffers", "taken back", false},
	[SESSION_HANDLE] = {"handle", "library handle", "library handles", "closed", false},
	[SESSION_CHILD] = {"child", "child process", "child processes", NULL, false},
	[SESSION_MUTEX] = {"mutex", "held mutex", "held mutexes", NULL, false},
	[SESSION_FILE_LOCK] = {"file-lock", "file lock", "file locks", NULL, false},
	[SESSION_UMASK] = {"umask", "umask change", "umask changes", NULL, true},
	[SESSION_WORKING_DIRECTORY] = {"working-directory", "change of working directory",
		"changes of working directory", NULL, true},
	[KIND_MEMORY] = {"memory", "block", "blocks", "freed", false},
	[KIND_THREAD] = {"thread", "thread", "threads", NULL, false},
	[KIND_THREAD_LOCAL] = {"thread-local", "thread-local", "thread-locals", "destroyed", false},
	[KIND_KEY] = {"key", "key", "keys", "deleted", false},
};

#define ONE(kind) ((kind_set)1 << (kind))

static const struct {
	const char *name;
	kind_set set;
} groups[] = {
	{"descriptors", ONE(SESSION_DESCRIPTOR)},
	{"streams", ONE(SESSION_STREAM) | ONE(SESSION_DIRECTORY)},
	{"mappings", ONE(SESSION_MAPPING) | ONE(SESSION_SEGMENT)},
	{"names", ONE(SESSION_SHM_NAME) | ONE(SESSION_SHM_ID) | ONE(SESSION_SEM) |
			  ONE(SESSION_SEM_NAME) | ONE(SESSION_SEM_ID) | ONE(SESSION_QUEUE_NAME) |
			  ONE(SESSION_QUEUE_ID) | ONE(SESSION_TEMPORARY)},
	{"hooks", ONE(SESSION_TIMER) | ONE(SESSION_INTERVAL_TIMER) | ONE(SESSION_SIGNAL_HANDLER) |
			  ONE(SESSION_SIGNAL_STACK) | ONE(SESSION_EXIT_HANDLER) |
			  ONE(SESSION_FORK_HANDLER) | ONE(SESSION_SYSLOG) | ONE(SESSION_BUFFER)},
	{"locks", ONE(SESSION_MUTEX) | ONE(SESSION_FILE_LOCK)},
	{"children", ONE(SESSION_CHILD)},
	{"handles", ONE(SESSION_HANDLE)},
	{"process", ONE(SESSION_ENVIRONMENT) | ONE(SESSION_LOCALE) | ONE(SESSION_UMASK) |
			    ONE(SESSION_WORKING_DIRECTORY)},
	{"threads", ONE(KIND_THREAD) | ONE(KIND_THREAD_LOCAL) | ONE(KIND_KEY)},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

const struct resource_kind *resource_kind(uint32_t kind)
{
	return &kinds[kind < KINDS && kinds[kind].name ? kind : KIND_UNKNOWN];
}

const char *leftover_state_name(uint32_t state)
{
	static const char *const names[] = {"unknown", "left", "kept", "taken-back", "given-back"};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : names[0];
}

/* The kinds of a group or the one kind of that name; nothing: unknown. */
static kind_set kinds_named(const char *name)
{
	size_t i;

	for (i = 0; i < GROUPS; i++)
		if (strcmp(groups[i].name, name) == 0)
			return groups[i].set;
	for (i = 1; i < KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return ONE(i);
	return 0;
}

static int name_unknown(const char *name, struct error *error)
{
	char *known = text_copy(groups[0].name), *longer;
	size_t i;

	for (i = 1; i < GROUPS + KINDS - 1; i++) {
		longer = text_format(
			"%s, %s", known, i < GROUPS ? groups[i].name : kinds[i - GROUPS + 1].name);
		free(known);
		known = longer;
	}
	error_exit(error, STATUS_USAGE, "--kind: '%.40s' is none of %s", name, known);
	free(known);
	return -1;
}

int kinds_parse(const char *text, kind_set *set, struct error *error)
{
	char *list = text_copy(text), *rest = list, *name;
	kind_set named;
	int result = 0;

	*set = 0;
	while (result == 0 && (name = strsep(&rest, ","))) {
		named = kinds_named(name);
		if (!named)
			result = name_unknown(name, error);
		*set |= named;
	}
	free(list);
	return result;
}
