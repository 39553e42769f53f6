/* SPDX-License-Identifier: MIT */
/* A plugin that changes what the process has one of, and opens libraries. */
#include "plugin.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

PLUGIN long do_setenv(const char *value)
{
	int result = value ? setenv("STATE_VARIABLE", value, 1) : unsetenv("STATE_VARIABLE");

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long do_setenv_mild(const char *value)
{
	int result = setenv("STATE_VARIABLE", value, 0);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long do_putenv(const char *value)
{
	char *string = malloc(64);
	int result;

	snprintf(string, 64, "STATE_VARIABLE=%s", value);
	result = putenv(string);
	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long do_putenv_away(const char *unused)
{
	int result = putenv((char *)"STATE_VARIABLE");

	(void)unused;
	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long do_clearenv(const char *unused)
{
	int result = clearenv();

	(void)unused;
	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long do_setlocale(const char *name)
{
	const char *result = setlocale(LC_ALL, name);

	NOT_A_TAIL_CALL();
	return result ? 0 : -1;
}

PLUGIN long do_setlocale_numeric(const char *name)
{
	const char *result = setlocale(LC_NUMERIC, name);

	NOT_A_TAIL_CALL();
	return result ? 0 : -1;
}

PLUGIN long do_umask(const char *octal)
{
	umask((mode_t)strtol(octal, NULL, 8));
	NOT_A_TAIL_CALL();
	return 0;
}

PLUGIN long do_chdir(const char *path)
{
	int result = chdir(path);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long do_fchdir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY), result = fchdir(fd);

	close(fd);
	return result;
}

static void *handle;

PLUGIN long do_dlopen(const char *path)
{
	handle = dlopen(path, RTLD_NOW);
	NOT_A_TAIL_CALL();
	return handle ? 0 : -1;
}

PLUGIN long do_dlopen_noload(const char *path)
{
	handle = dlopen(path, RTLD_NOW | RTLD_NOLOAD);
	NOT_A_TAIL_CALL();
	return handle ? 0 : -1;
}

PLUGIN long do_dlclose(const char *unused)
{
	int result = dlclose(handle);

	(void)unused;
	NOT_A_TAIL_CALL();
	return result;
}
