/* SPDX-License-Identifier: MIT */
#include "cli/cause-kinds.h"

#include "cli/resources.h"

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

static const struct cause_kind kinds[] = {
	{"cannot-load", CHECK_LOADS, "cannot be loaded", NULL, NULL, NULL, false, false},
	{"not-loaded", CHECK_LOADS, "not loaded", NULL, NULL, NULL, false, false},
	{"loaded-seldom", CHECK_LOADS, "loaded too seldom", NULL, NULL, NULL, false, false},
	{"crashed", CHECK_RUNS, "crashed", NULL, NULL, NULL, false, false},
	{"exited", CHECK_RUNS, "ended the process", NULL, NULL, NULL, false, false},
	{"hung", CHECK_RUNS, "did not end", NULL, NULL, NULL, false, false},
	{"entry-missing", CHECK_RUNS, "has no entry", NULL, NULL, NULL, false, false},
	{"entry-failed", CHECK_RUNS, "the entry failed", NULL, NULL, NULL, false, false},
	{"host-failed", CHECK_RUNS, "the host failed", NULL, NULL, NULL, false, false},
	{"stays", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false, false},
	{"deferred", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false, false},
	{"refused", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false, false},
	{"abandoned", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false, false},
	{"not-closed", CHECK_UNLOADS, "not unloaded", NULL, NULL, NULL, false, false},
	{"timeout", CHECK_UNLOADS, "an unload took too long", NULL, NULL, NULL, false, false},
	{"leaked", CHECK_MEMORY, "leaked", "block", "blocks", NULL, true, false},
	{"dropped", CHECK_MEMORY, "dropped", "block", "blocks", NULL, true, false},
	{"not-seen", CHECK_MEMORY, "not seen", NULL, NULL, NULL, false, false},
	{"kept", CHECK_KEPT, "left", "block", "blocks", "in use", true, false},
	{"thread", CHECK_THREADS, "left", "thread", "threads", "running", false, false},
	{"dangling", CHECK_POINTERS, "left", "pointer", "pointers", NULL, false, false},
	{"hook", CHECK_POINTERS, "left", "hook", "hooks", "in place", false, false},
	{"late-call", CHECK_LATE, "called after the unload", "time", "times", NULL, false, false},
	{"late-free", CHECK_LATE, "freed what relib had freed", "time", "times", NULL, false,
		false},
	{"double-free", CHECK_LATE, "freed twice", "time", "times", NULL, false, false},
	{"growth-resident", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false, false},
	{"growth-size", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false, false},
	{"growth-mappings", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false, false},
	{"growth-descriptors", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false, false},
	{"growth-threads", CHECK_GROWTH, "the process grows", NULL, NULL, NULL, false, false},
};

const char *check_name(enum check_id check)
{
	return checks[check].name;
}

const char *check_words(enum check_id check)
{
	return checks[check].words;
}

/* Whatever else a module can leave, called as in reports. */
static const struct cause_kind *resource_causes(void)
{
	static struct cause_kind made[KINDS];
	const struct resource_kind *kind;
	uint32_t i;

	for (i = 0; i < KINDS && !made[0].name; i++) {
		/* From the last to the first, which tells that all are made. */
		kind = resource_kind(KINDS - 1 - i);
		made[KINDS - 1 - i] = (struct cause_kind){
			.name = kind->name,
			.check = CHECK_RESOURCES,
			.verb = "left",
			.one = kind->noun,
			.many = kind->plural,
			.has_bytes = KINDS - 1 - i == SESSION_MAPPING ||
				     KINDS - 1 - i == SESSION_SEGMENT,
			.is_state = kind->is_state,
		};
	}
	return made;
}

/* Memory and threads have kinds of their own. */
static bool is_resource_cause(uint32_t kind)
{
	return kind != KIND_MEMORY && kind != KIND_THREAD && kind != KIND_THREAD_LOCAL;
}

const struct cause_kind *cause_kind_find(const char *name)
{
	const struct cause_kind *resources = resource_causes();
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	for (i = 0; i < KINDS; i++)
		if (is_resource_cause(i) && strcmp(resources[i].name, name) == 0)
			return &resources[i];
	return NULL;
}

bool cause_kind_is_named(const struct cause_kind *kind, const char *name)
{
	return strcmp(kind->name, name) == 0 || strcmp(checks[kind->check].name, name) == 0;
}

bool cause_kind_is_known(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(checks); i++)
		if (strcmp(checks[i].name, name) == 0)
			return true;
	return cause_kind_find(name) != NULL;
}
