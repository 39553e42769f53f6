/* SPDX-License-Identifier: MIT */
#include "elf/library-search.h"

#include "elf/memory.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#define PLATFORM "x86_64"
#define MULTIARCH "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define PLATFORM "aarch64"
#define MULTIARCH "aarch64-linux-gnu"
#else
#error "unknown machine"
#endif

/* Variants of a folder for newer processors, which the loader prefers. */
static const char *const variants[] = {
	"",
#if defined(__x86_64__)
	"glibc-hwcaps/x86-64-v2/",
	"glibc-hwcaps/x86-64-v3/",
	"glibc-hwcaps/x86-64-v4/",
#endif
};

static const char *const default_folders[] = {
	"/lib/" MULTIARCH,
	"/usr/lib/" MULTIARCH,
	"/lib64",
	"/usr/lib64",
	"/lib",
	"/usr/lib",
};

/* What $LIB stands for depends on how the C library was built. */
static const char *const lib_names[] = {"lib/" MULTIARCH, "lib64", "lib"};

/* The loader goes on when a file of that name is of another machine. */
static bool library_fits(const char *path)
{
	struct image image;
	struct error error;
	bool fits;

	fits = image_open(&image, path, &error) == 0 && image_check_machine(&image, &error) == 0;
	image_close(&image);
	return fits;
}

/* Of the file as it was opened: the loader does not follow a symbolic link here. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return text_copy(".");
	return slash == path ? text_copy("/") : text_copy_n(path, slash - path);
}

/* The length of the token at @text, "$NAME" or "${NAME}"; 0: it is none. */
static size_t token_length(const char *text, const char *name)
{
	size_t length = strlen(name);

	if (text[1] == '{' && strncmp(text + 2, name, length) == 0 && text[2 + length] == '}')
		return length + 3;
	if (strncmp(text + 1, name, length) == 0)
		return length + 1;
	return 0;
}

/* @length bytes of @text with $ORIGIN, $LIB and $PLATFORM replaced. */
static char *tokens_replaced(
	const char *text, size_t length, const struct dynamic *user, const char *lib)
{
	char *whole = text_copy_n(text, length), *origin = folder_of(user->path), *result, *more;
	const char *at = whole, *dollar, *value;
	size_t token;

	result = text_copy("");
	while ((dollar = strchr(at, '$'))) {
		if ((token = token_length(dollar, "ORIGIN")))
			value = origin;
		else if ((token = token_length(dollar, "PLATFORM")))
			value = PLATFORM;
		else if ((token = token_length(dollar, "LIB")))
			value = lib;
		else
			token = 1, value = "$";
		more = text_format("%s%.*s%s", result, (int)(dollar - at), at, value);
		free(result);
		result = more;
		at = dollar + token;
	}
	more = text_format("%s%s", result, at);
	free(result);
	free(origin);
	free(whole);
	return more;
}

static char *folder_search(const char *folder, const char *name)
{
	const char *slash = *folder && folder[strlen(folder) - 1] != '/' ? "/" : "";
	char *path;
	size_t i;

	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		path = text_format("%s%s%s%s", folder, slash, variants[i], name);
		if (library_fits(path))
			return path;
		free(path);
	}
	return NULL;
}

/* A list of folders; an empty one is the current folder. */
static char *list_search(
	const char *list, const char *separators, const struct dynamic *user, const char *name)
{
	char *folder, *found = NULL;
	size_t length, i;

	for (; list && !found; list = list[length] ? list + length + 1 : NULL) {
		length = strcspn(list, separators);
		for (i = 0; i < sizeof(lib_names) / sizeof(lib_names[0]) && !found; i++) {
			folder = tokens_replaced(list, length, user, lib_names[i]);
			found = folder_search(*folder ? folder : ".", name);
			free(folder);
			if (!memmem(list, length, "$", 1))
				break;
		}
	}
	return found;
}

static char *rpaths_search(const struct library_user *user, const char *name)
{
	char *found = NULL;

	if (user->dynamic->runpath)
		return NULL;
	for (; user && !found; user = user->loader)
		if (user->dynamic->rpath)
			found = list_search(user->dynamic->rpath, ":", user->dynamic, name);
	return found;
}

static char *cache_search(const struct loader_cache *cache, const char *name)
{
	const char *path;
	size_t n;

	for (n = 0; cache && (path = loader_cache_find(cache, name, n)); n++)
		if (library_fits(path))
			return text_copy(path);
	return NULL;
}

static char *defaults_search(const char *name)
{
	char *found = NULL;
	size_t i;

	for (i = 0; i < sizeof(default_folders) / sizeof(default_folders[0]) && !found; i++)
		found = folder_search(default_folders[i], name);
	return found;
}

/* A name with a slash is a path, and not searched for. */
static char *path_find(const struct dynamic *user, const char *name)
{
	char *path = tokens_replaced(name, strlen(name), user, lib_names[0]);

	if (library_fits(path))
		return path;
	free(path);
	return NULL;
}

char *library_find(
	const struct library_search *search, const struct library_user *user, const char *name)
{
	const struct dynamic *dynamic = user->dynamic;
	char *found;
	size_t i;

	if (strchr(name, '/'))
		return path_find(dynamic, name);
	found = rpaths_search(user, name);
	for (i = 0; i < search->folder_count && !found; i++)
		found = folder_search(search->folders[i], name);
	if (!found && search->library_path && *search->library_path)
		found = list_search(search->library_path, ":;", dynamic, name);
	if (!found && dynamic->runpath)
		found = list_search(dynamic->runpath, ":", dynamic, name);
	if (found || (dynamic->flags_1 & DF_1_NODEFLIB))
		return found;
	found = cache_search(search->cache, name);
	return found ? found : defaults_search(name);
}
