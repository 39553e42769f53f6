/* SPDX-License-Identifier: MIT */
/* The same thousands of mutations of a valid session in every make check. */
#include "shim/session-format.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutation.h"
#include "tests/unit/session-maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 6000

/* Offsets at which there is something: most of a session is zeroes. */
static size_t used_offsets(const struct session_maker *maker, uint32_t **offsets)
{
	size_t i, count = 0;

	*offsets = malloc(maker->size * sizeof(**offsets));
	for (i = 0; i < maker->size; i++)
		if (maker->data[i] || i % SESSION_EXTENT_SIZE < 256)
			(*offsets)[count++] = i;
	return count;
}

int main(void)
{
	struct session_maker maker;
	uint32_t *offsets;
	size_t count, i, k, good = 0, refused = 0, size;
	uint8_t *bytes;

	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
	maker_sample_unloading(&maker);
	maker_sample_resources(&maker);
	count = used_offsets(&maker, &offsets);
	bytes = malloc(maker.size);
	printf("1..2\n");
	printf("%sok 1 - the session without damage is read\n",
		LLVMFuzzerTestOneInput(maker.data, maker.size) ? "" : "not ");
	for (i = 0; i < ROUNDS; i++) {
		memcpy(bytes, maker.data, maker.size);
		for (k = 0; k < 1 + i % 4; k++)
			mutation_make(bytes + offsets[mutation_draw() % count]);
		size = i % 16 ? maker.size : mutation_draw() % maker.size;
		if (LLVMFuzzerTestOneInput(bytes, size))
			good++;
		else
			refused++;
	}
	printf("%sok 2 - %d damaged ones: %zu read, %zu refused\n", good && refused ? "" : "not ",
		ROUNDS, good, refused);
	free(bytes);
	free(offsets);
	maker_end(&maker);
	return 0;
}
