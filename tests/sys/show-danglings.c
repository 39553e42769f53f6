/* SPDX-License-Identifier: MIT */
/*
 * show-danglings SESSION: what a session says of pointers into unloaded images,
 * fields between tabs:
 *
 *	generation	MODULE#NUMBER	DANGLING	TAKEN_BACK
 *	KIND	MODULE#NUMBER	TARGET	ROOT	COUNT	TAKEN_BACK	NUMBER	TEXT	PLACE
 *
 * ROOT is the kind of the root and its text; PLACE the module's function that
 * made the hook.  What is not there is "-".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/names.h"
#include "cli/session-file.h"

static const char *const kinds[] = {
	[SESSION_DANGLING_MEMORY] = "memory",
	[SESSION_DANGLING_SIGNAL] = "signal",
	[SESSION_DANGLING_TIMER] = "timer",
	[SESSION_DANGLING_ON_EXIT] = "on_exit",
	[SESSION_DANGLING_QUICK_EXIT] = "quick_exit",
	[SESSION_DANGLING_ENVIRON] = "environ",
	[SESSION_DANGLING_BUFFER] = "buffer",
	[SESSION_DANGLING_OPENLOG] = "openlog",
	[SESSION_DANGLING_FORK] = "fork",
	[SESSION_DANGLING_COOKIE] = "cookie",
};

static void generation_print(const struct session *session, uint32_t index)
{
	const struct session_generation *generation = session_generation(session, index);

	printf("%s#%" PRIu32, base_name(session_object_path(session, generation->object)),
		generation->number);
}

/* The variable or function at the address. */
static void target_print(
	struct names *names, const struct session *session, const struct session_dangling *dangling)
{
	uint32_t object = session_generation(session, dangling->generation)->object;
	const struct names_code *code =
		names_code_exact(names, SESSION_FRAME(object, dangling->target));
	const char *function = code->symbols[0].function;
	struct symbol_variable variable = {0};

	if (!function)
		names_variable(names, object, dangling->target, &variable);
	printf("\t%s", function ? function : variable.name ? variable.name : "-");
	symbol_variable_free(&variable);
}

static void place_print(struct names *names, const struct session *session, uint32_t index)
{
	const struct session_place *place = index ? session_place(session, index) : NULL;
	const char *function = NULL;

	if (place && place->frame_count)
		function =
			names_code(names, session_frame(session, place->frame + place->owner_frame))
				->symbols[0]
				.function;
	printf("\t%s\n", function ? function : "-");
}

static void dangling_print(
	struct names *names, const struct session *session, const struct session_dangling *dangling)
{
	char *root = dangling->root.kind ? names_root(names, session, &dangling->root) : NULL;
	const char *text = session_string(session, dangling->text);

	printf("%s\t", kinds[dangling->kind]);
	generation_print(session, dangling->generation);
	target_print(names, session, dangling);
	printf("\t%s %s\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32 "\t%s",
		root_kind_name(dangling->root.kind), root ? root : "-", dangling->count,
		dangling->taken_back, dangling->number, *text ? text : "-");
	place_print(names, session, dangling->place);
	free(root);
}

int main(int argc, char **argv)
{
	struct error error = {0};
	struct session *session = argc == 2 ? session_open(argv[1], &error) : NULL;
	struct names *names;

	if (!session) {
		fprintf(stderr, "show-danglings: cannot read the session\n");
		return 1;
	}
	names = names_open(session);
	for (uint32_t i = 1; i < session->count[SESSION_GENERATIONS]; i++) {
		printf("generation\t");
		generation_print(session, i);
		printf("\t%" PRIu32 "\t%" PRIu32 "\n", session_generation(session, i)->dangling,
			session_generation(session, i)->taken_back);
	}
	for (uint32_t i = 1; i < session->count[SESSION_DANGLINGS]; i++)
		dangling_print(names, session, session_record(session, SESSION_DANGLINGS, i));
	names_close(names);
	session_close(session);
	return 0;
}
