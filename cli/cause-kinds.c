/* SPDX-License-Identifier: MIT */
#include "cli/cause-kinds.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name, *words;
} checks[CHECKS] = {
	[CHECK_LOADS] = {"loads", "loads"},
	[CHECK_RUNS] = {"runs", "runs"},
	[CHECK_UNLOADS] = {"unloads", "unloads"},
	[CHECK_MEMORY] = {"memory", "leaks no memory"},
	[CHECK_KEPT] = {"kept", "leaves no memory in use"},
	[CHECK_RESOURCES] = {"resources", "leaves no descriptor, mapping, name or other resource"},
	[CHECK_THREADS] = {"threads", "leaves no thread"},
	[CHECK_POINTERS] = {"pointers", "leaves no pointer into itself"},
	[CHECK_LATE] = {"late", "is not used after its unload"},
	[CHECK_GROWTH] = {"growth", "lets the process keep its size"},
};

/* The kinds of resources are called as in reports: resource_kind_name(). */
static const struct cause_kind kinds[] = {
	{"cannot-load", CHECK_LOADS, "cannot be loaded", NULL, NULL, NULL, false},
	{"not-loaded", CHECK_LOADS, "not loaded", NULL, NULL, NULL, false},
	{"loaded-seldom", CHECK_LOADS, "loaded too seldom", NULL, NULL, NULL, false},
	{"crashed", CHECK_RUNS, "crashed", NULL, NULL, NULL, false},
	{"exited", CHECK_RUNS, "ended the process", NULL, NULL, NULL, false},
	{"hung", CHECK_RUNS, "did not end", NULL, NULL, NULL, false},
	{"entry-missing", CHECK_RUNS, "has no entry", NULL, NULL, NULL, false},
	{"entry-failed", CHECK_RUNS, "the entry failed", NULL, NULL, NULL, false},
	{"host-failed", CHECK_RUNS, "the host failed", NULL, NULL, NULL, false},
	{"stays", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false},
	{"deferred", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false},
	{"refused", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false},
	{"abandoned", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false},
	{"not-closed", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false},
	{"timeout", CHECK_UNLOADS, "an unload took too long", NULL, NULL, NULL, false},
	{"leaked", CHECK_MEMORY, "leaked", "block", "blocks", NULL, true},
	{"dropped", CHECK_MEMORY, "dropped", "block", "blocks", NULL, true},
	{"not-seen", CHECK_MEMORY, "not seen", NULL, NULL, NULL, false},
	{"kept", CHECK_KEPT, "left", "block", "blocks", "in use", true},
	{"thread", CHECK_THREADS, "left", "thread", "threads", "running", false},
	{"dangling", CHECK_POINTERS, "left", "pointer", "pointers", NULL, false},
	{"hook", CHECK_POINTERS, "left", "hook", "hooks", "in place", false},
	{"late-call", CHECK_LATE, "called after the unload", "time", "times", NULL, false},
	{"late-free", CHECK_LATE, "freed what relib had freed", "time", "times", NULL, false},
	{"double-free", CHECK_LATE, "freed twice", "time", "times", NULL, false},
	{"growth-resident", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false},
	{"growth-size", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false},
	{"growth-mappings", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false},
	{"growth-descriptors", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false},
	{"growth-threads", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false},
#define RESOURCE(name, one, many, bytes)                                                           \
	{                                                                                          \
		name, CHECK_RESOURCES, "left", one, many, NULL, bytes                              \
	}
	RESOURCE("key", "thread-specific key", "thread-specific keys", false),
	RESOURCE("descriptor", "descriptor", "descriptors", false),
	RESOURCE("stream", "stream", "streams", false),
	RESOURCE("directory", "directory stream", "directory streams", false),
	RESOURCE("mapping", "mapping", "mappings", true),
	RESOURCE("segment", "shared memory segment", "shared memory segments", true),
	RESOURCE("shm-name", "name of shared memory", "names of shared memory", false),
	RESOURCE("shm-id", "shared memory id", "shared memory ids", false),
	RESOURCE("semaphore", "open semaphore", "open semaphores", false),
	RESOURCE("semaphore-name", "semaphore name", "semaphore names", false),
	RESOURCE("semaphore-id", "semaphore id", "semaphore ids", false),
	RESOURCE("queue-name", "message queue name", "message queue names", false),
	RESOURCE("queue-id", "message queue id", "message queue ids", false),
	RESOURCE("temporary", "temporary file", "temporary files", false),
	RESOURCE("timer", "timer", "timers", false),
	RESOURCE("interval-timer", "interval timer", "interval timers", false),
	RESOURCE("signal-handler", "signal handler", "signal handlers", false),
	RESOURCE("signal-stack", "signal stack", "signal stacks", false),
	RESOURCE("exit-handler", "exit handler", "exit handlers", false),
	RESOURCE("fork-handler", "fork handler", "fork handlers", false),
	RESOURCE("environment", "changed variable", "changed variables", false),
	RESOURCE("syslog", "syslog ident", "syslog idents", false),
	RESOURCE("locale", "changed locale", "changed locales", false),
	RESOURCE("buffer", "stream buffer", "stream buffers", false),
	RESOURCE("handle", "open library", "open libraries", false),
	RESOURCE("child", "child process", "child processes", false),
	RESOURCE("mutex", "locked mutex", "locked mutexes", false),
	RESOURCE("file-lock", "file lock", "file locks", false),
	RESOURCE("umask", "changed umask", "changed umasks", false),
	RESOURCE("working-directory", "changed working directory", "changed working directories",
		false),
	RESOURCE("unknown", "resource of a newer relib", "resources of a newer relib", false),
};

const char *check_name(enum check_id check)
{
	return checks[check].name;
}

const char *check_words(enum check_id check)
{
	return checks[check].words;
}

const struct cause_kind *cause_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

bool cause_kind_is_named(const struct cause_kind *kind, const char *name)
{
	return strcmp(kind->name, name) == 0 || strcmp(checks[kind->check].name, name) == 0;
}

bool cause_kind_is_known(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (cause_kind_is_named(&kinds[i], name))
			return true;
	return false;
}
