/* SPDX-License-Identifier: MIT */
/*
 * Writes the sample session:
 *
 *	make-session [--resources] [--many N] [--unloading]
 *		[--named HOST HOLDER TARGET] [--running PID RUN]
 *		FILE PLUGIN CODE CODE2 [COPY]
 *
 * CODE and CODE2 are return addresses in PLUGIN, COPY the name of its kept file.
 * With --resources it tells of descriptors and so on, with --many of N more
 * generations that left one thing of each kind.
 * With --unloading it tells of threads, dangling pointers and a module that stays, too.
 * With --named, too, HOLDER in the kept file HOST points to TARGET in PLUGIN,
 * which was called late.
 * With --running it is that of a process that runs, in the run of that RELIB_RUN.
 */
#include "tests/unit/session-maker.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The process that runs now under that number. */
static void process_set(struct session_maker *maker, const char *pid, const char *run)
{
	struct session_header *header;
	char path[64], text[1024] = "", *at;
	struct timespec now;
	uint32_t run_id = maker_string(maker, run);
	FILE *in;
	int field;

	snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	in = fopen(path, "r");
	if (!in || !fgets(text, sizeof(text), in))
		exit(EXIT_FAILURE);
	fclose(in);
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	clock_gettime(CLOCK_REALTIME, &now);
	header = maker_header(maker);
	header->state = SESSION_RUNNING;
	header->run_id = run_id;
	header->pid = atoi(pid);
	header->start_ticks = at ? strtoull(at, NULL, 10) : 0;
	header->started_ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	header->ended_ns = 0;
}

static void names_set(
	struct session_maker *maker, const char *host, uint64_t holder, uint64_t target)
{
	struct session_dangling *dangling;
	struct session_note *note;
	uint32_t copy = maker_string(maker, host), i;

	((struct session_object *)maker_record(maker, SESSION_OBJECTS, 1))->copy = copy;
	for (i = 1; i < maker_header(maker)->table[SESSION_DANGLINGS].record_count; i++) {
		dangling = maker_record(maker, SESSION_DANGLINGS, i);
		dangling->target = target;
		if (dangling->root.kind == SESSION_ROOT_GLOBAL)
			dangling->root.offset = holder;
	}
	for (i = 1; i < maker_header(maker)->table[SESSION_NOTES].record_count; i++) {
		note = maker_record(maker, SESSION_NOTES, i);
		if (note->kind == SESSION_NOTE_LATE_CALL)
			note->frame = SESSION_FRAME(2, target);
	}
}

static bool word_taken(int *argc, char ***argv, const char *word, int words)
{
	if (*argc <= words || strcmp((*argv)[1], word) != 0)
		return false;
	*argc -= words;
	*argv += words;
	return true;
}

int main(int argc, char **argv)
{
	bool resources = word_taken(&argc, &argv, "--resources", 1);
	char **many = word_taken(&argc, &argv, "--many", 2) ? argv : NULL;
	bool unloading = word_taken(&argc, &argv, "--unloading", 1);
	char **named = word_taken(&argc, &argv, "--named", 4) ? argv - 2 : NULL;
	char **running = word_taken(&argc, &argv, "--running", 3) ? argv - 1 : NULL;
	struct session_maker maker;
	uint32_t copy;
	int result;

	if (argc < 5) {
		fprintf(stderr, "usage: make-session [--resources] [--many N] [--unloading] "
				"[--named HOST HOLDER TARGET] [--running PID RUN] FILE PLUGIN CODE "
				"CODE2 [COPY]\n");
		return 2;
	}
	maker_sample(&maker, argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	if (resources)
		maker_sample_resources(&maker);
	if (many)
		maker_sample_many(&maker, strtoul(many[0], NULL, 10));
	if (unloading)
		maker_sample_unloading(&maker);
	if (named)
		names_set(&maker, named[0], strtoul(named[1], NULL, 0), strtoul(named[2], NULL, 0));
	if (running)
		process_set(&maker, running[0], running[1]);
	if (argc > 5) {
		copy = maker_string(&maker, argv[5]);
		((struct session_object *)maker_record(&maker, SESSION_OBJECTS, 2))->copy = copy;
	}
	result = maker_write(&maker, argv[1]);
	maker_end(&maker);
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
