/* SPDX-License-Identifier: MIT */
/* Needs pointed.so and, if so built, a symbol that is nowhere. */
#include "plugin.h"

PLUGIN void other_call(void);
void on_tick(void);
void missing(void);

PLUGIN void other_call(void)
{
#ifdef MISSING
	missing();
#else
	on_tick();
#endif
	NOT_A_TAIL_CALL();
}
