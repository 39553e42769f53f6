/* SPDX-License-Identifier: MIT */
/* The same as state.c by the means of C++. */
#include "plugin.h"

#include <cstdlib>
#include <filesystem>
#include <locale>

PLUGIN long do_setenv(const char *value)
{
	return setenv("STATE_VARIABLE", value, 1) ? -1 : 0;
}

PLUGIN long do_chdir(const char *path)
{
	std::filesystem::current_path(path);
	return 0;
}

PLUGIN long do_setlocale(const char *name)
{
	std::locale::global(std::locale(name));
	return 0;
}
