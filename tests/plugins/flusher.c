/* SPDX-License-Identifier: MIT */
/*
 * flusher PLUGIN.so: unloads the plugin, which left a stream, in a thread that
 * has locked a stream of its own, for which another thread waits that flushes
 * all of them.
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

static volatile int flushing_thread;

static void *run_flush(void *unused)
{
	(void)unused;
	flushing_thread = (int)syscall(SYS_gettid);
	return fflush(NULL) ? "failed" : NULL;
}

/* Until the thread waits for a lock. */
static void flush_await(void)
{
	char path[64], text[32];

	do {
		ssize_t length = 0;
		int fd;

		sched_yield();
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", flushing_thread);
		fd = open(path, O_RDONLY);
		if (fd >= 0) {
			length = read(fd, text, sizeof(text) - 1);
			close(fd);
		}
		text[length > 0 ? length : 0] = 0;
	} while (atoi(text) != SYS_futex);
}

int main(int argc, char **argv)
{
	FILE *own = fopen("/dev/null", "w");
	long (*leave)(long);
	pthread_t thread;
	void *handle, *failed;
	int gone;

	if (argc != 2 || !own)
		die("usage: flusher PLUGIN.so");
	watchdog(60);
	handle = plugin_open(argv[1]);
	leave = (long (*)(long))plugin_symbol(handle, "leave_stream");
	leave(0);
	scrub_stack();
	flockfile(own);
	if (pthread_create(&thread, NULL, run_flush, NULL))
		die("no thread");
	flush_await();
	gone = plugin_close(handle);
	funlockfile(own);
	pthread_join(thread, &failed);
	verdict(gone, "the plugin is unloaded");
	verdict(!failed, "all is flushed");
	return 0;
}
