/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a session: read, reported as text and JSON, compared with itself,
 * and judged, without a crash.  With libFuzzer:
 *
 *	clang -fsanitize=fuzzer,address ... tests/fuzz/session.c
 */
#include "cli/diff.h"
#include "cli/leaks-report.h"
#include "cli/verdict.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Reports go nowhere, but are formatted to the last byte. */
static FILE *nowhere(void)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	return out;
}

static void judge(const struct report *report, const struct paper *paper)
{
	static const struct text_list allow;
	struct test_verdict verdict = {0};
	struct plugin_verdict *plugin = verdict_add(&verdict, "/nonexistent/plugin.so", 10);

	plugin_judge_sessions(plugin, report);
	plugin_finish(plugin, &allow);
	verdict_write_text(&verdict, paper);
	verdict_write_tap(&verdict, paper->out);
	verdict_write_junit(&verdict, paper->out);
	verdict_write_json(&verdict, paper->out);
	verdict_free(&verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = {.all = true};
	struct paper paper = {nowhere(), true};
	struct session *session;
	struct error error;
	struct diff *diff;
	uint8_t *copy;

	copy = malloc(size ? size : 1);
	memcpy(copy, data, size);
	session = session_from_bytes("/nonexistent/run/session", copy, size, &error);
	if (!session)
		return 0;
	report.count = 1;
	report.leaks = malloc(sizeof(*report.leaks));
	report.leaks[0] = leaks_open(session, NULL);
	report_write_text(&report, &paper);
	report_write_json(&report, paper.out);
	diff = diff_open(report.leaks[0], report.leaks[0]);
	diff_write_text(diff, true, &paper);
	diff_write_json(diff, true, paper.out);
	diff_close(diff);
	judge(&report, &paper);
	report_close(&report);
	return 1;
}
