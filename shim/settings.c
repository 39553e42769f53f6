/* SPDX-License-Identifier: MIT */
#include <fnmatch.h>
#include <string.h>

#include "shim/settings.h"
#include "shim/sys.h"
#include "shim/text.h"

struct settings settings = {
	.frames = SETTINGS_FRAMES_DEFAULT,
	.leaks = SESSION_LEAKS_FREE,
	.timeout_ms = 10000,
	.guard = UINT64_C(1024) << 20,
	.quarantine = UINT64_C(64) << 20,
};

static const char *value_of(char *const *envp, const char *name)
{
	size_t length = strlen(name);

	for (; envp && *envp; envp++)
		if (!strncmp(*envp, name, length) && (*envp)[length] == '=')
			return *envp + length + 1;
	return NULL;
}

static bool number_read(const char *text, uint64_t most, uint64_t *value)
{
	uint64_t read = 0;

	if (!text || !*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || read > most)
			return false;
		read = read * 10 + (uint64_t)(*text - '0');
	}
	if (read > most)
		return false;
	*value = read;
	return true;
}

static void text_read(char *const *envp, const char *name, char *text, size_t size)
{
	const char *value = value_of(envp, name);

	if (value && strlen(value) < size)
		memcpy(text, value, strlen(value) + 1);
}

static bool base_set(const char *start, const char *end)
{
	size_t length = strlen(start), rest = strlen(end);

	if (length + rest >= sizeof(settings.base))
		return false;
	memcpy(settings.base, start, length);
	memcpy(settings.base + length, end, rest + 1);
	return true;
}

static void base_default(char *const *envp)
{
	char name[32];
	struct text text = text_in(name, sizeof(name));
	const char *runtime = value_of(envp, "XDG_RUNTIME_DIR");

	if (runtime && *runtime == '/' && base_set(runtime, "/relib"))
		return;
	text_add(&text, "/tmp/relib-");
	text_number(&text, (uint64_t)sys_call(SYS_getuid, 0, 0, 0), 10, 1);
	base_set(name, "");
}

void settings_read(char *const *envp)
{
	const char *leaks = value_of(envp, "RELIB_LEAKS"), *base = value_of(envp, "RELIB_DIR");
	const char *threads = value_of(envp, "RELIB_THREADS");
	const char *fds = value_of(envp, "RELIB_FDS"), *names = value_of(envp, "RELIB_NAMES");
	const char *action = value_of(envp, "RELIB_UNLOAD_TIMEOUT_ACTION");
	uint64_t number;

	if (number_read(value_of(envp, "RELIB_FRAMES"), SETTINGS_FRAMES_MAX, &number))
		settings.frames = (unsigned int)number;
	if (number_read(value_of(envp, "RELIB_QUARANTINE"), UINT64_C(1) << 30, &number))
		settings.quarantine = number << 20;
	if (number_read(value_of(envp, "RELIB_UNLOAD_TIMEOUT"), UINT32_MAX / 1000, &number))
		settings.timeout_ms = (uint32_t)number * 1000;
	if (number_read(value_of(envp, "RELIB_GUARD"), UINT64_C(1) << 24, &number))
		settings.guard = number << 20;
	if (threads && !strcmp(threads, "refuse"))
		settings.threads = SESSION_THREADS_REFUSE;
	if (fds && !strcmp(fds, "close"))
		settings.fds = SESSION_FDS_CLOSE;
	if (names && !strcmp(names, "remove"))
		settings.names = SESSION_NAMES_REMOVE;
	settings.timeout_abandon = action && !strcmp(action, "abandon");
	if (leaks && !strcmp(leaks, "report"))
		settings.leaks = SESSION_LEAKS_REPORT;
	else if (leaks && !strcmp(leaks, "off"))
		settings.leaks = SESSION_LEAKS_OFF;
	text_read(envp, "RELIB_TRACK", settings.track, sizeof(settings.track));
	text_read(envp, "RELIB_THROUGH", settings.through, sizeof(settings.through));
	text_read(envp, "RELIB_RUN", settings.run, sizeof(settings.run));
	if (!base || !*base || !base_set(base, ""))
		base_default(envp);
}

bool settings_list_matches(const char *list, const char *path)
{
	const char *name = strrchr(path, '/'), *next;
	char glob[512];

	name = name ? name + 1 : path;
	for (; *list; list = *next ? next + 1 : next) {
		size_t length;

		next = strchrnul(list, ':');
		length = (size_t)(next - list);
		if (!length || length >= sizeof(glob))
			continue;
		memcpy(glob, list, length);
		glob[length] = 0;
		if (!fnmatch(glob, path, 0) || !fnmatch(glob, name, 0))
			return true;
	}
	return false;
}
