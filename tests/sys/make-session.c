/* SPDX-License-Identifier: MIT */
/*
 * Writes the sample session: make-session FILE PLUGIN CODE CODE2 [COPY]
 * CODE and CODE2 are return addresses in PLUGIN, COPY the name of its kept file.
 */
#include "tests/unit/session-maker.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	struct session_maker maker;
	uint32_t copy;
	int result;

	if (argc < 5) {
		fprintf(stderr, "usage: make-session FILE PLUGIN CODE CODE2 [COPY]\n");
		return 2;
	}
	maker_sample(&maker, argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
	if (argc > 5) {
		copy = maker_string(&maker, argv[5]);
		((struct session_object *)maker_record(&maker, SESSION_OBJECTS, 2))->copy = copy;
	}
	result = maker_write(&maker, argv[1]);
	maker_end(&maker);
	return result ? EXIT_FAILURE : EXIT_SUCCESS;
}
