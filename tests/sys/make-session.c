/* SPDX-License-Identifier: MIT */
/*
 * Writes the sample session: make-session [--unloading] FILE PLUGIN CODE CODE2 [COPY]
 * CODE and CODE2 are return addresses in PLUGIN, COPY the name of its kept file.
 * With --unloading it tells of threads, dangling pointers and a module that stays, too.
 */
#include "tests/unit/session-maker.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	struct session_maker maker;
	bool unloading = argc > 1 && strcmp(argv[1], "--unloading") == 0;
	uint32_t copy;
	int result;

	argc -= unloading;
	argv += unloading;
	if (argc < 5) {
		fprintf(stderr,
			"usage: make-session [--unloading] FILE PLUGIN CODE CODE2 [COPY]\n");
		return 2;
	}
	maker_sample(&maker, argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	if (unloading)
		maker_sample_unloading(&maker);
	if (argc > 5) {
		copy = maker_string(&maker, argv[5]);
		((struct session_object *)maker_record(&maker, SESSION_OBJECTS, 2))->copy = copy;
	}
	result = maker_write(&maker, argv[1]);
	maker_end(&maker);
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
