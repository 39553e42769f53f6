/* SPDX-License-Identifier: MIT */
/* A library that the leaking plugin alone needs. */
#include "plugin.h"

#include <stdlib.h>

PLUGIN long helper_leak(long number)
{
	for (int i = 0; i < 2; i++)
		forget(malloc(55)); /* LEAK helper_leak 2 110 */
	NOT_A_TAIL_CALL();
	return number;
}
