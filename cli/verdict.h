/* SPDX-License-Identifier: MIT */
/*
 * What relib test says of plugins: for each, what was checked, and the causes
 * for which a check fails.  The same cause in several cycles is one cause.
 */
#ifndef RELIB_VERDICT_H
#define RELIB_VERDICT_H

#include "cli/cause-kinds.h"
#include "cli/host-record.h"
#include "cli/leaks-report.h"
#include "cli/options.h"

/* What one generation contributes. */
struct cause_count {
	uint32_t generation;
	struct tally tally; /* things, and their bytes where they have any */
};

struct cause {
	const struct cause_kind *kind;
	char *key;    /* tells it from others of its kind and module */
	char *module; /* file name, NULL: the process */
	char *place;  /* "plugin_main (leaks.c:12)", NULL: not known */
	char *function, *file;
	int line;		    /* of the place, 0: not known */
	char *detail;		    /* "held by host: table (host.c:3)", or NULL */
	struct cause_count *counts; /* by generation once the verdict is finished */
	size_t count_count;
	size_t cycles; /* generations that there were of the module */
	bool allowed;  /* shown, but no failure */
	char *text;    /* the whole in one line, made when the verdict is finished */
};

enum check_result { CHECK_PASSED, CHECK_FAILED, CHECK_SKIPPED };

struct plugin_verdict {
	const char *path;
	char *module;  /* the file's own name, without links */
	long cycles;   /* that were asked for */
	size_t loads;  /* generations of it that the sessions tell of */
	size_t closes; /* of those: that the host closed */
	uint64_t ns;   /* that its run took */
	struct cause **causes;
	size_t cause_count;
	const char *skipped[CHECKS]; /* why a check was not made, NULL: it was */
};

struct test_verdict {
	struct plugin_verdict **plugins;
	size_t count;
};

struct plugin_verdict *verdict_add(struct test_verdict *verdict, const char *path, long cycles);
void verdict_free(struct test_verdict *verdict);
bool verdict_is_good(const struct test_verdict *verdict);

bool plugin_is_good(const struct plugin_verdict *plugin);
enum check_result plugin_check_result(const struct plugin_verdict *plugin, enum check_id check);

/* Skips a check, unless it is skipped for another reason already. */
void plugin_skip(struct plugin_verdict *plugin, enum check_id check, const char *reason);

/* Orders the causes, makes their texts, and marks those that @allow names. */
void plugin_finish(struct plugin_verdict *plugin, const struct text_list *allow);

/*
 * The cause of that kind, module and key, which is made if there is none;
 * @module may be NULL, @key is copied.
 */
struct cause *plugin_cause(
	struct plugin_verdict *plugin, const char *kind, const char *module, const char *key);
void cause_count_add(struct cause *cause, uint32_t generation, struct tally tally);
/* Only the first detail is kept; takes over @detail, which may be NULL. */
void cause_detail(struct cause *cause, char *detail);

/* --- what causes are taken from -------------------------------------------- */

/* Sessions of the plugin's run. */
void plugin_judge_sessions(struct plugin_verdict *plugin, const struct report *report);

/* Of one module of a session; for plugin_judge_sessions. */
void plugin_judge_unloading(struct plugin_verdict *plugin, const struct leaks *leaks,
	const struct leaks_module *module);
void plugin_judge_notes(struct plugin_verdict *plugin, const struct leaks *leaks);

/* A cause at a place of the session; @place 0: none is known. */
struct cause *plugin_cause_at(struct plugin_verdict *plugin, const char *kind,
	const struct leaks *leaks, const struct leaks_module *module, uint32_t place,
	const char *key);

/* How the built-in host ended, as it says and as waitpid does. */
void plugin_judge_host(
	struct plugin_verdict *plugin, const struct host_record *record, int wait_status);
/* ", in cycle 3, in its entry"; to be freed.  "" without a @record. */
char *host_position(const struct host_record *record);
/* The same for a host that says nothing. */
void plugin_judge_exit(struct plugin_verdict *plugin, int wait_status);

/* Growth of the process. */
void plugin_judge_growth(struct plugin_verdict *plugin, const struct host_record *record);

/* What its file tells, when it was not loaded: @host as for check_open. */
void plugin_judge_file(struct plugin_verdict *plugin, const char *host);

/* --- how they are written --------------------------------------------------- */

void verdict_write_text(const struct test_verdict *verdict, const struct paper *paper);
void verdict_write_tap(const struct test_verdict *verdict, FILE *out);
void verdict_write_junit(const struct test_verdict *verdict, FILE *out);
void verdict_write_json(const struct test_verdict *verdict, FILE *out);

#endif
