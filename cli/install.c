/* SPDX-License-Identifier: MIT */
#include "cli/install.h"

#include "elf/memory.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder of this program, of which libtool may have put the real one into .libs. */
static char *program_folder(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return text_copy(".");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash && slash != path)
		*slash = '\0';
	slash = strrchr(path, '/');
	if (slash && strcmp(slash, "/.libs") == 0)
		*slash = '\0';
	return text_copy(path);
}

/*
 * @path without links in its folder.  Its own name stays: what a link of that
 * name leads to may be replaced while hosts still start others.
 */
static char *absolute_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? text_copy_n(path, slash - path + 1) : text_copy(".");
	char *real = realpath(folder, NULL), *absolute = NULL;

	if (real)
		absolute = text_format("%s/%s", real, slash ? slash + 1 : path);
	free(real);
	free(folder);
	return absolute;
}

/*
 * The first that is there of: @built, beside this program in a build tree;
 * @moved, where an installed tree has it that was moved as a whole; @installed.
 */
static char *install_find(const char *built, const char *moved, const char *installed, int mode)
{
	const char *beside[] = {built, moved};
	char *folder = program_folder(), *path, *found = NULL;
	size_t i;

	for (i = 0; i < 2 && !found; i++) {
		path = text_format("%s/%s", folder, beside[i]);
		if (access(path, mode) == 0)
			found = absolute_path(path);
		free(path);
	}
	free(folder);
	if (!found && access(installed, mode) == 0)
		found = text_copy(installed);
	return found;
}

char *install_shim(struct error *error)
{
	const char *named = getenv("RELIB_SHIM");
	char *path;

	if (named && *named) {
		path = access(named, R_OK) == 0 ? absolute_path(named) : NULL;
		if (!path)
			error_set(error, 0,
				"%s: no such file, which RELIB_SHIM names as the preload library: "
				"%m",
				named);
	} else {
		path = install_find("../shim/.libs/librelib.so", "../lib/librelib.so",
			RELIB_LIBDIR "/librelib.so", R_OK);
		if (!path)
			error_set(error, 0,
				"the preload library %s is missing: install relib anew or set "
				"RELIB_SHIM",
				RELIB_LIBDIR "/librelib.so");
	}
	/* The loader splits LD_PRELOAD at both. */
	if (path && strpbrk(path, " :")) {
		error_set(error, 0,
			"%s: LD_PRELOAD cannot hold a path with a blank or colon: link to it from "
			"elsewhere and set RELIB_SHIM",
			path);
		free(path);
		path = NULL;
	}
	return path;
}

char *install_host(struct error *error)
{
	char *path = install_find(
		"relib-host", "../libexec/relib/relib-host", RELIB_LIBEXECDIR "/relib-host", X_OK);

	if (!path)
		error_set(error, 0,
			"the built-in host %s is missing: install relib anew or name a HOST",
			RELIB_LIBEXECDIR "/relib-host");
	return path;
}
