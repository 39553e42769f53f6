// SPDX-License-Identifier: MIT
// What a host needs of C++: a dlopen whose exceptions are caught.
#include <dlfcn.h>

extern "C" void *open_caught(const char *path, int *caught);

extern "C" void *open_caught(const char *path, int *caught)
{
	// declared as one that throws nothing
	void *(*volatile open)(const char *, int) = dlopen;

	*caught = 0;
	try {
		return open(path, RTLD_NOW);
	} catch (int thrown) {
		*caught = thrown;
		return nullptr;
	}
}
