/* SPDX-License-Identifier: MIT */
/*
 * storm SECONDS WORKERS FORKERS RATE PLUGIN...: WORKERS threads open, use and
 * close the plugins, with a thread of the plugin's now and then; FORKERS fork,
 * exec and end children; RATE signals a second interrupt everybody.  Ends badly
 * when one stands still.
 */
#include "host.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

#define MOST 64
#define STANDS_STILL 40 /* seconds */

extern char **environ;

static char **plugins;
static int plugin_count, worker_count, forker_count;
static volatile int over;
static volatile unsigned long progress[MOST];
static unsigned long wrong, refused, signals;

static int object_step(struct dl_phdr_info *info, size_t size, void *data)
{
	(void)size;
	*(uintptr_t *)data += info->dlpi_addr;
	return 0;
}

static void one_use(int seed)
{
	void *handle = dlopen(plugins[seed % plugin_count], seed & 16 ? RTLD_NOW : RTLD_LAZY);
	int (*work)(int), (*thread)(int);
	uintptr_t sum = 0;

	if (!handle) {
		dprintf(2, "dlopen: %s\n", dlerror());
		__sync_fetch_and_add(&wrong, 1);
		return;
	}
	work = (int (*)(int))plugin_symbol(handle, "storm_work");
	thread = (int (*)(int))plugin_symbol(handle, "storm_thread");
	if (work(seed) != seed) {
		dprintf(2, "a plugin is not whole: %d\n", work(seed));
		__sync_fetch_and_add(&wrong, 1);
	}
	if (seed % 7 == 0)
		thread(seed);
	dl_iterate_phdr(object_step, &sum);
	while (dlclose(handle) != 0) {
		dlerror();
		__sync_fetch_and_add(&refused, 1);
		usleep(500);
	}
}

static void *worker(void *data)
{
	int number = (int)(intptr_t)data;
	unsigned int seed = (unsigned int)number * 7919 + 1;

	while (!over) {
		one_use(rand_r(&seed) & 0xffff);
		progress[number]++;
	}
	return NULL;
}

static void child_by_fork(int how)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		free(malloc(1000));
		if (how)
			execl("/bin/true", "true", (char *)NULL);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		dprintf(2, "a child ended with %d\n", status);
		__sync_fetch_and_add(&wrong, 1);
	}
}

static void child_by_spawn(void)
{
	char *arguments[] = {"true", NULL};
	int status;
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, arguments, environ) != 0 ||
		waitpid(pid, &status, 0) != pid || status != 0)
		__sync_fetch_and_add(&wrong, 1);
}

static void *forker(void *data)
{
	int number = (int)(intptr_t)data;

	for (unsigned int i = 0; !over; i++) {
		if (i % 3 == 2)
			child_by_spawn();
		else
			child_by_fork(i % 3);
		progress[number]++;
	}
	return NULL;
}

/* Takes and gives back memory, as far as a handler may. */
static void on_alarm(int number)
{
	int saved = errno;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)number;
	if (page != MAP_FAILED) {
		page[4096] = 1;
		munmap(page, 8192);
	}
	signals++;
	errno = saved;
}

static void signals_begin(int rate)
{
	const struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	const struct itimerval every = {{0, 1000000 / rate}, {0, 1000000 / rate}};

	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &every, NULL);
}

/* A second, however many signals there are. */
static void second_pass(void)
{
	struct timespec left = {1, 0};

	while (nanosleep(&left, &left) != 0)
		;
}

/* Everybody who stood still since the last look that everybody passed. */
static void watch(int seconds)
{
	unsigned long before[MOST];
	int still[MOST] = {0};

	for (int i = 0; i < MOST; i++)
		before[i] = progress[i];
	for (int i = 0; i < seconds; i++) {
		second_pass();
		for (int k = 0; k < worker_count + forker_count; k++) {
			still[k] = before[k] == progress[k] ? still[k] + 1 : 0;
			before[k] = progress[k];
			if (still[k] < STANDS_STILL)
				continue;
			dprintf(2, "thread %d stands still\n", k);
			_exit(98);
		}
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[MOST];
	unsigned long uses = 0;
	int count;

	if (argc < 6)
		return 2;
	worker_count = atoi(argv[2]);
	forker_count = atoi(argv[3]);
	plugins = argv + 5;
	plugin_count = argc - 5;
	count = worker_count + forker_count;
	if (atoi(argv[4]))
		signals_begin(atoi(argv[4]));
	for (intptr_t i = 0; i < count; i++)
		if (pthread_create(
			    &threads[i], NULL, i < worker_count ? worker : forker, (void *)i))
			die("pthread_create");
	watch(atoi(argv[1]));
	over = 1;
	watchdog(60);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < worker_count; i++)
		uses += progress[i];
	verdict(!wrong, "every use is right");
	verdict(uses > 0, "plugins were used");
	dprintf(1, "uses %lu, refused %lu, signals %lu\n", uses, refused, signals);
	return 0;
}
