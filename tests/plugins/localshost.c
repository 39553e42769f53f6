/* SPDX-License-Identifier: MIT */
/*
 * A host whose threads use a plugin's thread-locals: localshost PLUGIN [OTHER].
 * Notes which destructors ran, in which order; says "ok" or "bad".  Without
 * OTHER the order is learnt from a thread that ends.
 */
#include "host.h"

#include <pthread.h>
#include <semaphore.h>

int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *dso);
extern char __dso_handle[];

static char noted[400];
static _Atomic int counting, counted;
static char of_plugin[sizeof(noted)] = " 3 2 4 1";
static int mismatches;

void host_note(int number);
void host_note(int number)
{
	size_t length = strlen(noted);

	if (counting)
		counted++;
	else
		snprintf(noted + length, sizeof(noted) - length, " %d", number);
}

static int is_noted(const char *what)
{
	int same = !strcmp(noted, what);

	if (!same && !mismatches++)
		dprintf(1, "noted%s, expected%s\n", noted, what);
	*noted = 0;
	return same;
}

static void own_destructor(void *object)
{
	host_note(*(int *)object);
}

NOINLINE static void touch(void *handle)
{
	long (*function)(long) = (long (*)(long))plugin_symbol(handle, "touch");

	function(0);
	NOT_A_TAIL_CALL();
}

/* A thread of the host's that does one step after the other. */
struct worker {
	pthread_t thread;
	sem_t go, done;
	void (*step)(void *);
	void *argument;
};

static void *work(void *data)
{
	struct worker *worker = data;

	for (;;) {
		sem_wait(&worker->go);
		if (!worker->step)
			return NULL;
		worker->step(worker->argument);
		scrub_stack();
		sem_post(&worker->done);
	}
}

static void worker_start(struct worker *worker)
{
	sem_init(&worker->go, 0, 0);
	sem_init(&worker->done, 0, 0);
	if (pthread_create(&worker->thread, NULL, work, worker) != 0)
		die("pthread_create");
}

static void worker_step(struct worker *worker, void (*step)(void *), void *argument)
{
	worker->step = step;
	worker->argument = argument;
	sem_post(&worker->go);
	if (step)
		sem_wait(&worker->done);
	else
		pthread_join(worker->thread, NULL);
}

static void own_step(void *argument)
{
	__cxa_thread_atexit_impl(own_destructor, argument, __dso_handle);
}

static void on_the_unloading_thread(const char *path)
{
	void *handle = plugin_open(path);

	touch(handle);
	verdict(plugin_close(handle), "a plugin with thread-locals unloads");
	verdict(is_noted(of_plugin), "its destructors ran on the unloading thread, in order");
}

static void in_other_threads(const char *path)
{
	struct worker before, after;
	void *handle = plugin_open(path);

	worker_start(&before);
	worker_start(&after);
	worker_step(&before, touch, handle);
	worker_step(&after, touch, handle);
	verdict(is_noted(""), "no destructor runs while the threads live");
	worker_step(&before, NULL, NULL);
	verdict(is_noted(of_plugin), "a thread that ends before the unload runs its own");
	verdict(plugin_close(handle), "a plugin whose thread-locals another thread has unloads");
	verdict(is_noted(""), "those of the other thread are not run by the unload");
	worker_step(&after, NULL, NULL);
	verdict(is_noted(""), "nor when that thread ends");
}

static void in_turn(const char *path, const char *other)
{
	static int hundred = 100;
	void *first = plugin_open(path), *second = plugin_open(other);
	struct worker worker;

	worker_start(&worker);
	worker_step(&worker, touch, first);
	worker_step(&worker, own_step, &hundred);
	worker_step(&worker, touch, second);
	worker_step(&worker, NULL, NULL);
	verdict(is_noted(" 13 12 14 11 100 3 2 4 1"),
		"at a thread's end all run in the order of their registration");
	verdict(plugin_close(first) && plugin_close(second), "both plugins unload");
	verdict(is_noted(""), "and have nothing left to run");
}

static void close_step(void *handle)
{
	verdict(plugin_close(handle), "a plugin unloads from another thread");
}

/* After an unload the same thread registers again, beneath and above the host's own. */
static void once_more(const char *path)
{
	static int hundred = 100, two_hundred = 200;
	void *handle = plugin_open(path);
	struct worker worker;

	worker_start(&worker);
	worker_step(&worker, touch, handle);
	worker_step(&worker, own_step, &hundred);
	worker_step(&worker, close_step, handle);
	verdict(is_noted(of_plugin), "and its destructors ran there");
	handle = plugin_open(path);
	worker_step(&worker, touch, handle);
	worker_step(&worker, close_step, handle);
	verdict(is_noted(of_plugin), "the same again");
	handle = plugin_open(path);
	worker_step(&worker, touch, handle);
	worker_step(&worker, own_step, &two_hundred);
	worker_step(&worker, NULL, NULL);
	verdict(is_noted(" 200 3 2 4 1 100"), "the order is right after unloads, too");
	verdict(plugin_close(handle), "the last load unloads");
}

static void order_learn(const char *path)
{
	void *handle = plugin_open(path);
	struct worker worker;

	worker_start(&worker);
	worker_step(&worker, touch, handle);
	worker_step(&worker, NULL, NULL);
	memcpy(of_plugin, noted, sizeof(noted));
	*noted = 0;
	verdict(*of_plugin && plugin_close(handle), "destructors run when a thread ends");
}

/* Private memory of this process, bytes: the session, which tells of each load, is none. */
static long private_bytes(void)
{
	char line[128];
	long result = 0;
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "RssAnon: %ld", &result);
	if (file)
		fclose(file);
	return result * 1024;
}

static void over_and_over(const char *path, int times)
{
	struct worker worker;
	long early = 0, late, gone = 0, in_order = 0;

	worker_start(&worker);
	for (int i = 0; i < times; i++) {
		void *handle = plugin_open(path);

		worker_step(&worker, touch, handle);
		touch(handle);
		gone += plugin_close(handle);
		in_order += is_noted(of_plugin);
		/* by then the shim's tables of stacks are filled */
		if (i == times * 3 / 5)
			early = private_bytes();
	}
	verdict(gone == times, "it unloads however often");
	verdict(in_order == times, "and its destructors run each time");
	late = private_bytes();
	dprintf(1, "%ld bytes more\n", late - early);
	verdict(late - early < 300000, "nothing piles up in threads that go on");
	worker_step(&worker, NULL, NULL);
	verdict(is_noted(""), "nothing is run when they end");
}

/*
 * Threads end while the plugin is unloaded: their destructors run before, or
 * never; it waits for one that is on its way.
 */
static void meanwhile(const char *path, int times)
{
	struct worker workers[4];
	int gone = 0;

	counting = 1;
	for (int i = 0; i < times; i++) {
		void *handle = plugin_open(path);
		uintptr_t address = object_address(handle);

		for (int k = 0; k < 4; k++) {
			worker_start(&workers[k]);
			worker_step(&workers[k], touch, handle);
		}
		for (int k = 0; k < 4; k++) {
			workers[k].step = NULL;
			sem_post(&workers[k].go);
		}
		plugin_close(handle);
		for (int k = 0; k < 4; k++)
			pthread_join(workers[k].thread, NULL);
		gone += !address_is_loaded(address);
	}
	counting = 0;
	verdict(gone == times, "it unloads while threads end that have its thread-locals");
}

int main(int argc, char **argv)
{
	watchdog(120);
	if (argc < 2)
		die("localshost PLUGIN [OTHER]");
	if (argc == 2)
		order_learn(argv[1]);
	on_the_unloading_thread(argv[1]);
	in_other_threads(argv[1]);
	if (argc == 3) {
		in_turn(argv[1], argv[2]);
		once_more(argv[1]);
	}
	over_and_over(argv[1], 5000);
	meanwhile(argv[1], 200);
	return 0;
}
