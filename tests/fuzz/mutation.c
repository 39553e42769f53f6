/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/mutation.h"

static uint64_t seed = 88172645463325252u;

uint64_t mutation_draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

void mutation_make(uint8_t *byte)
{
	static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff};

	switch (mutation_draw() % 3) {
	case 0:
		*byte ^= 1 << mutation_draw() % 8;
		break;
	case 1:
		*byte = telling[mutation_draw() % sizeof(telling)];
		break;
	default:
		*byte = mutation_draw();
	}
}
