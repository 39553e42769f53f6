/* SPDX-License-Identifier: MIT */
/* A plugin that loads a helper beside itself by its bare name. */
#include "plugin.h"

#include <dlfcn.h>
#include <stdlib.h>

PLUGIN long find_helper(long number)
{
	void *handle = dlopen("finder-helper.so", RTLD_NOW);
	long (*helper_leak)(long);
	long result;

	if (!handle)
		return -1;
	helper_leak = (long (*)(long))dlsym(handle, "helper_leak");
	result = helper_leak ? helper_leak(number) : -2;
	dlclose(handle);
	return result;
}

PLUGIN long leak_one(long number)
{
	forget(malloc(33)); /* LINE leak_one */
	NOT_A_TAIL_CALL();
	return number;
}
