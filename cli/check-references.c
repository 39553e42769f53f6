/* SPDX-License-Identifier: MIT */
/* What the file's code may do, judged by the functions that it refers to. */
#include "cli/check.h"
#include "elf/finalizers.h"
#include "elf/function-names.h"
#include "elf/memory.h"

#include <stdlib.h>

#define NAME_MAX_OF_RULE 7

struct rule {
	enum weight weight;
	const char *kind;
	const char *refers[NAME_MAX_OF_RULE + 1]; /* to any of these */
	const char *unless[NAME_MAX_OF_RULE + 1]; /* and to none of these */
	const char *text, *then;
};

#define THREAD_START                                                                               \
	"_ZNSt6thread15_M_start_threadESt10unique_ptrINS_6_StateESt14default_deleteIS1_EEPFvvE"

static const char *const joins[] = {"pthread_join", "pthread_tryjoin_np", "pthread_timedjoin_np",
	"pthread_clockjoin_np", "thrd_join", "_ZNSt6thread4joinEv", NULL};

static const struct rule rules[] = {
	{WEIGHT_WARNING, "threads-not-joined", {"pthread_create", "thrd_create", THREAD_START},
		{"pthread_join", "pthread_tryjoin_np", "pthread_timedjoin_np",
			"pthread_clockjoin_np", "thrd_join", "_ZNSt6thread4joinEv"},
		"it starts threads and joins none",
		"dlclose has to wait for those that still run: end and join them in a finalizer"},
	{WEIGHT_WARNING, "keys-not-deleted", {"pthread_key_create", "tss_create"},
		{"pthread_key_delete", "tss_delete"},
		"it makes thread-specific keys and deletes none",
		"their destructors would be called after it is gone, which relib prevents"},
	{WEIGHT_NOTE, "signals",
		{"sigaction", "signal", "bsd_signal", "sysv_signal", "__sysv_signal", "sigset"},
		{NULL}, "it may set signal handlers",
		"one that is left would be called after it is gone"},
	{WEIGHT_NOTE, "timers", {"timer_create"}, {NULL}, "it may make timers",
		"one that is left would call it after it is gone"},
	{WEIGHT_NOTE, "exit-handlers", {"on_exit", "at_quick_exit", "__cxa_at_quick_exit"}, {NULL},
		"it may register handlers that run at the exit of the host",
		"dlclose does not take them back"},
	{WEIGHT_NOTE, "fork-handlers", {"__register_atfork", "pthread_atfork"}, {NULL},
		"it may register fork handlers", NULL},
	{WEIGHT_NOTE, "environment", {"putenv"}, {NULL},
		"it may put its own memory into the environment", NULL},
	{WEIGHT_NOTE, "stream-buffers", {"setvbuf", "setbuf", "setbuffer", "setlinebuf"}, {NULL},
		"it may give its own memory to streams as buffer", NULL},
	{WEIGHT_NOTE, "syslog", {"openlog"}, {NULL}, "it may give its own memory to openlog", NULL},
	{WEIGHT_NOTE, "runtime-handlers",
		{"_ZSt13set_terminatePFvvE", "_ZSt15set_new_handlerPFvvE",
			"register_printf_function", "register_printf_specifier",
			"register_printf_modifier", "register_printf_type"},
		{NULL}, "it may register handlers with the C or C++ runtime",
		"one that is left would be called after it is gone"},
};

static bool refers_to_any(const struct subject *subject, const char *const *names)
{
	for (; *names; names++)
		if (subject_refers(subject, *names))
			return true;
	return false;
}

static void rule_apply(const struct subject *subject, const struct rule *rule)
{
	struct finding *finding;
	size_t i;

	if (!refers_to_any(subject, rule->refers) || refers_to_any(subject, rule->unless))
		return;
	finding = finding_add(subject, rule->weight, rule->kind, text_copy(rule->text), rule->then);
	for (i = 0; rule->refers[i]; i++)
		if (subject_refers(subject, rule->refers[i]))
			finding_symbol(finding, rule->refers[i]);
}

static void check_finalizers(const struct subject *subject)
{
	bool joins_threads = refers_to_any(subject, joins);
	struct finalizers finalizers;
	struct finding *finding;
	size_t i;

	finalizers_read(&finalizers, subject->dynamic);
	if (finalizers.count || finalizers.unnamed) {
		finding = finding_add(subject, WEIGHT_NOTE, "finalizers",
			finalizers.unnamed ? text_format("it has finalizers (%zu without a name)",
						     finalizers.unnamed)
					   : text_copy("it has finalizers"),
			joins_threads ? "they run at dlclose and may join its threads"
				      : "they run at dlclose");
		for (i = 0; i < finalizers.count; i++)
			finding_symbol(finding, finalizers.names[i]);
	}
	finalizers_free(&finalizers);
	if (subject_refers(subject, "__cxa_atexit"))
		finding_add(subject, WEIGHT_NOTE, "static-destructors",
			text_copy("it has static destructors or atexit handlers"),
			joins_threads ? "they run at dlclose and may join its threads"
				      : "they run at dlclose");
}

/* Every object that the compiler's start files are linked into refers to it. */
static void check_start_files(const struct subject *subject)
{
	if (dynamic_symbol(subject->dynamic, "__cxa_finalize"))
		return;
	if (subject_refers(subject, "__cxa_atexit"))
		finding_add(subject, WEIGHT_WARNING, "no-start-files",
			text_copy("it is linked without the compiler's start files "
				  "(no __cxa_finalize), but has static destructors or atexit "
				  "handlers"),
			"these are not run at dlclose and crash the host when it exits: link "
			"without -nostartfiles");
	else
		finding_add(subject, WEIGHT_WARNING, "no-start-files",
			text_copy("it is linked without the compiler's start files "
				  "(no __cxa_finalize)"),
			"relib cannot act between its finalizers and its end: link without "
			"-nostartfiles");
}

static void check_thread_locals(const struct subject *subject)
{
	struct finding *finding;
	const char **names;
	size_t count, i;

	if (!subject_refers(subject, "__cxa_thread_atexit") &&
		!subject_refers(subject, "__cxa_thread_atexit_impl"))
		return;
	finding = finding_add(subject, WEIGHT_WARNING, "thread-locals",
		text_copy("it has thread-locals with destructors"),
		"without relib they keep it loaded until each thread that used them has ended; "
		"under relib they do not");
	count = thread_local_names(subject->dynamic, &names);
	for (i = 0; i < count; i++)
		finding_symbol(finding, names[i]);
	free(names);
}

void check_references(const struct subject *subject)
{
	size_t i;

	check_start_files(subject);
	check_thread_locals(subject);
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		rule_apply(subject, &rules[i]);
	check_finalizers(subject);
}
