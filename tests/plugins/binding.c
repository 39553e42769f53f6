/* SPDX-License-Identifier: MIT */
/* A plugin that calls what it does not define. */
#include "plugin.h"

long bound_function(long number);

PLUGIN long answer(long number)
{
	long result = bound_function(number);

	NOT_A_TAIL_CALL();
	return result;
}
