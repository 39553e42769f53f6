/* SPDX-License-Identifier: MIT */
/* Leaks what a library of the host made for it. */
#include "plugin.h"

#include <stddef.h>

void *maker_make(size_t size);

PLUGIN long leak_order(long size)
{
	forget(maker_make((size_t)size));
	return 0;
}
