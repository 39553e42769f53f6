/* SPDX-License-Identifier: MIT */
/* The part of waiter.c that catches C++ exceptions; a library of the host's. */
#include "plugin.h"
#include "waiter.h"

PLUGIN long host_catch(long (*function)(long), long number)
{
	try {
		return function(number);
	} catch (int) {
		return -5;
	}
}
