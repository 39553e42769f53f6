/* SPDX-License-Identifier: MIT */
#include "elf/demangle.h"

#include "elf/memory.h"

#include <ctype.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef char *demangle_function(const char *name, char *buffer, size_t *size, int *status);

/*
 * __cxa_demangle of the C++ runtime that nearly every machine has, looked for
 * when the first mangled name is met: a command line written in C should not
 * need a C++ runtime to start.
 */
static demangle_function *demangler(void)
{
	static demangle_function *function;
	static bool tried;
	void *runtime;

	if (tried)
		return function;
	tried = true;
	runtime = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
	if (!runtime)
		runtime = dlopen("libc++abi.so.1", RTLD_LAZY | RTLD_LOCAL);
	if (runtime)
		function = (demangle_function *)dlsym(runtime, "__cxa_demangle");
	return function;
}

bool name_is_mangled(const char *name)
{
	return strncmp(name, "_Z", 2) == 0;
}

/* Legacy Rust names end in ::h and 16 hexadecimal digits that say nothing to a reader. */
static void rust_hash_cut(char *name)
{
	size_t length = strlen(name), i;
	char *hash;

	if (length < 20)
		return;
	hash = name + length - 19;
	if (strncmp(hash, "::h", 3) != 0)
		return;
	for (i = 3; i < 19; i++)
		if (!isdigit((unsigned char)hash[i]) && (hash[i] < 'a' || hash[i] > 'f'))
			return;
	*hash = '\0';
}

char *name_demangled(const char *name)
{
	demangle_function *demangle;
	char *readable = NULL;
	int status = 0;

	if (name_is_mangled(name) && (demangle = demangler()))
		readable = demangle(name, NULL, NULL, &status);
	if (!readable)
		return text_copy(name);
	rust_hash_cut(readable);
	return readable;
}
