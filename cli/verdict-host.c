/* SPDX-License-Identifier: MIT */
/* How the host of a test ended, and how large it grew. */
#include "cli/verdict.h"

#include "cli/check.h"
#include "cli/dangling.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define LOADER_CACHE "/etc/ld.so.cache"

static void cause_say(struct plugin_verdict *plugin, const char *kind, char *detail)
{
	cause_detail(plugin_cause(plugin, kind, NULL, detail), detail);
}

static const char *stage_words(const struct host_record *record)
{
	switch (record->stage) {
	case HOST_LOADING:
		return "while it was loaded (a constructor?)";
	case HOST_CALLING:
		return "in its entry";
	case HOST_UNLOADING:
		return "while it was unloaded (a destructor?)";
	case HOST_WAITING:
		return "after its unload";
	case HOST_ENDED:
		return "at the end of the process";
	default:
		return "before it was loaded";
	}
}

char *host_position(const struct host_record *record)
{
	if (!record || !record->cycle)
		return text_copy("");
	if (record->stage == HOST_ENDED)
		return text_format(", %s", stage_words(record));
	return text_format(", in cycle %" PRIu64 ", %s", record->cycle, stage_words(record));
}

static void judge_signal(
	struct plugin_verdict *plugin, const struct host_record *record, int wait_status)
{
	char *name = signal_text(WTERMSIG(wait_status)), *where = host_position(record);

	cause_say(plugin, "crashed", text_format("%s%s", name, where));
	free(name);
	free(where);
}

static void judge_failure(struct plugin_verdict *plugin, const struct host_record *record)
{
	char *text = text_copy_n(record->text, strnlen(record->text, sizeof(record->text)));

	switch (record->failure) {
	case HOST_LOAD_FAILED:
		/* Its file may have told more. */
		if (plugin_check_result(plugin, CHECK_LOADS) == CHECK_FAILED)
			break;
		cause_say(plugin, "cannot-load",
			text_format("%s%s", text,
				record->cycle > 1 ? ", after it had been loaded" : ""));
		break;
	case HOST_NO_ENTRY:
		cause_say(plugin, "entry-missing", text_copy(text));
		break;
	case HOST_UNLOAD_FAILED:
		/* The session may tell more, and why. */
		if (plugin_check_result(plugin, CHECK_UNLOADS) != CHECK_FAILED)
			cause_say(plugin, "refused", text_copy(text));
		break;
	default:
		break;
	}
	free(text);
}

void plugin_judge_host(
	struct plugin_verdict *plugin, const struct host_record *record, int wait_status)
{
	char *where, *others;

	if (record->bad_returns) {
		others = record->bad_returns > 1 ? text_format(", and not 0 in %" PRIu64 " cycles",
							   record->bad_returns)
						 : text_copy("");
		cause_say(plugin, "entry-failed",
			text_format("it returned %" PRId32 " in cycle %" PRIu64 "%s",
				record->bad_status, record->bad_cycle, others));
		free(others);
	}
	judge_failure(plugin, record);
	if (WIFSIGNALED(wait_status)) {
		judge_signal(plugin, record, wait_status);
	} else if (record->stage != HOST_ENDED) {
		where = host_position(record);
		cause_say(plugin, "exited",
			text_format("with status %d%s", WEXITSTATUS(wait_status), where));
		free(where);
	}
}

void plugin_judge_exit(struct plugin_verdict *plugin, int wait_status)
{
	if (WIFSIGNALED(wait_status))
		judge_signal(plugin, NULL, wait_status);
	else if (WEXITSTATUS(wait_status))
		cause_say(plugin, "host-failed",
			text_format("its exit status is %d", WEXITSTATUS(wait_status)));
}

/* --- the file ------------------------------------------------------------------ */

static void judge_findings(struct plugin_verdict *plugin, const struct check *check)
{
	const struct finding *finding;
	size_t i;

	for (i = 0; i < check->finding_count; i++) {
		finding = check->findings[i];
		if (finding->weight == WEIGHT_CANNOT_LOAD)
			cause_say(plugin, "cannot-load",
				text_format("%s%s%s", finding->text,
					finding->name_count ? ": " : "",
					finding->name_count ? finding->names[0] : ""));
	}
}

void plugin_judge_file(struct plugin_verdict *plugin, const char *host)
{
	struct library_search search = {
		.cache = loader_cache_open(LOADER_CACHE),
		.library_path = getenv("LD_LIBRARY_PATH"),
	};
	struct check *check;
	struct error error;

	check = check_open(plugin->path, host, &search, &error);
	loader_cache_close(search.cache);
	if (!check)
		return;
	if (check->error)
		cause_say(plugin, "cannot-load", text_copy(check->error));
	else
		judge_findings(plugin, check);
	check_close(check);
}
