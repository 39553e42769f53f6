/* SPDX-License-Identifier: MIT */
/*
 * everythinghost FOLDER PLUGIN.so LIBRARY.so TIMES: loads and unloads a plugin
 * that leaves one of each kind, and says what the process has of everything
 * after the tenth time and after the last:
 *
 *	WHEN RSS DESCRIPTORS MAPPINGS THREADS TIMERS KEYS FILES SEGMENTS
 *
 * It gives back what is its own business: the lock, the directory, the umask,
 * the locale, the variable.
 */
#include "host.h"

#include <dirent.h>
#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/shm.h>
#include <sys/stat.h>

#define KEYS 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static long entries(const char *path)
{
	DIR *folder = opendir(path);
	long count = 0;

	if (!folder)
		die("%s: %m", path);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static long lines(const char *path, const char *with)
{
	FILE *file = fopen(path, "re");
	char line[4096];
	long count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !strncmp(line, with, strlen(with));
	if (file)
		fclose(file);
	return count;
}

/* How many there are to be had. */
static long keys(void)
{
	pthread_key_t key[KEYS];
	long count = 0;

	while (count < KEYS && pthread_key_create(&key[count], NULL) == 0)
		count++;
	for (long i = 0; i < count; i++)
		pthread_key_delete(key[i]);
	return count;
}

static long segments(void)
{
	struct shm_info info;

	return shmctl(0, SHM_INFO, (struct shmid_ds *)&info) < 0 ? -1 : info.used_ids;
}

static void say(const char *when, const char *folder)
{
	dprintf(1, "%s %ld %ld %ld %ld %ld %ld %ld %ld\n", when, resident_bytes(),
		entries("/proc/self/fd"), lines("/proc/self/maps", ""), entries("/proc/self/task"),
		lines("/proc/self/timers", "ID:"), keys(), entries(folder) + entries("/dev/shm"),
		segments());
}

NOINLINE static long once(const char *folder, const char *plugin, const char *library)
{
	void *handle = plugin_open(plugin);
	long (*leave)(const char *, pthread_mutex_t *, const char *);
	long failed;

	*(void **)&leave = plugin_symbol(handle, "everything_leave");
	failed = leave(folder, &lock, library);
	scrub_stack();
	if (!plugin_close(handle))
		failed++;
	if (pthread_mutex_unlock(&lock) != 0)
		failed++;
	umask(022);
	setlocale(LC_CTYPE, "C");
	unsetenv("RELIB_TEST_EVERYTHING");
	if (chdir(folder) != 0)
		failed++;
	return failed;
}

int main(int argc, char **argv)
{
	int times = argc > 4 ? atoi(argv[4]) : 0;
	long failed = 0;

	if (times < 10)
		die("usage: everythinghost FOLDER PLUGIN.so LIBRARY.so TIMES");
	for (int i = 1; i <= times; i++) {
		failed += once(argv[1], argv[2], argv[3]);
		if (i == 10)
			say("tenth", argv[1]);
	}
	say("last", argv[1]);
	dprintf(1, "failed %ld\n", failed);
	return failed != 0;
}
