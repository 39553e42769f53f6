/* SPDX-License-Identifier: MIT */
/* A host whose threads have values of a plugin's keys: keyshost PLUGIN CYCLES KEYS. */
#include "host.h"

#include <pthread.h>
#include <semaphore.h>

static char noted[400];
static _Atomic int counting, counted;

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

	if (!same)
		dprintf(1, "noted%s, expected%s\n", noted, what);
	*noted = 0;
	return same;
}

static pthread_key_t own_key;
static int has_own_key;

void *host_value(void);
void *host_value(void)
{
	if (!has_own_key && pthread_key_create(&own_key, free) == 0)
		has_own_key = 1;
	if (!pthread_getspecific(own_key))
		pthread_setspecific(own_key, malloc(8));
	return pthread_getspecific(own_key);
}

NOINLINE static long call(void *handle, const char *name, long number)
{
	long (*function)(long) = (long (*)(long))plugin_symbol(handle, name);
	long result = function(number);

	NOT_A_TAIL_CALL();
	return result;
}

/* A thread of the host's that does one step, and ends when it is told to. */
struct worker {
	pthread_t thread;
	sem_t done, end;
	void *handle;
	const char *name;
	long number;
};

/* What the plugin left in the registers of arguments would be references, too. */
NOINLINE static void scrub_registers(long a, long b, long c, long d, long e, long f)
{
	forget((void *)(a + b + c + d + e + f));
}

static void *work(void *data)
{
	struct worker *worker = data;

	call(worker->handle, worker->name, worker->number);
	scrub_stack();
	scrub_registers(0, 0, 0, 0, 0, 0);
	sem_post(&worker->done);
	sem_wait(&worker->end);
	return NULL;
}

static void worker_start(struct worker *worker, void *handle, const char *name, long number)
{
	worker->handle = handle;
	worker->name = name;
	worker->number = number;
	sem_init(&worker->done, 0, 0);
	sem_init(&worker->end, 0, 0);
	if (pthread_create(&worker->thread, NULL, work, worker) != 0)
		die("pthread_create");
	sem_wait(&worker->done);
	worker->handle = NULL;
}

static void worker_end(struct worker *worker)
{
	sem_post(&worker->end);
	pthread_join(worker->thread, NULL);
}

static void *keyed_open(const char *path)
{
	void *handle = plugin_open(path);

	if (call(handle, "keys_make", 0) != 0)
		die("the plugin gets no keys");
	return handle;
}

static void on_the_unloading_thread(const char *path)
{
	void *handle = keyed_open(path);

	call(handle, "keys_set", 1);
	verdict(plugin_close(handle), "a plugin with keys unloads");
	verdict(is_noted(" 1 2 3"), "its destructors ran for the unloading thread's values");
	handle = keyed_open(path);
	call(handle, "keys_set", 3);
	plugin_close(handle);
	verdict(is_noted(" 1 2 3 1 1"), "again when they set values");
	handle = keyed_open(path);
	call(handle, "keys_set", 100);
	plugin_close(handle);
	verdict(is_noted(" 1 2 3 1 1 1"), "but no more often than at a thread's end");
}

static void in_other_threads(const char *path)
{
	void *handle = keyed_open(path);
	struct worker before, after;

	worker_start(&before, handle, "keys_set", 2);
	worker_end(&before);
	verdict(is_noted(" 1 2 3 1"), "a thread that ends before the unload runs its own");
	worker_start(&after, handle, "keys_set", 2);
	verdict(plugin_close(handle), "a plugin whose keys another thread has values of unloads");
	worker_end(&after);
	verdict(is_noted(""), "the other thread's destructors are never called");
}

static void held(const char *path, long size)
{
	void *handle = keyed_open(path);
	struct worker worker;

	worker_start(&worker, handle, "keys_hold", size);
	verdict(plugin_close(handle), "a plugin that left a value in another thread unloads");
	worker_end(&worker);
}

static void deleted_by_itself(const char *path)
{
	void *handle = keyed_open(path);
	struct worker worker;

	worker_start(&worker, handle, "keys_set", 2);
	call(handle, "keys_delete", 0);
	worker_end(&worker);
	verdict(is_noted(""), "no destructor is called for a key the plugin deleted itself");
	verdict(plugin_close(handle), "and the plugin unloads");
}

static void of_host(const char *path)
{
	void *handle = plugin_open(path), *value;

	call(handle, "keys_of_host", 0);
	value = host_value();
	plugin_close(handle);
	verdict(value && pthread_getspecific(own_key) == value,
		"a key that the host made when the plugin called stays the host's");
}

static void over_and_over(const char *path, int times)
{
	pthread_key_t key;
	int gone = 0;

	for (int i = 0; i < times; i++)
		gone += plugin_close(keyed_open(path));
	verdict(gone == times, "keys do not run out, however often it is loaded");
	verdict(pthread_key_create(&key, NULL) == 0 && key < 64, "nor do their numbers");
	pthread_key_delete(key);
}

/* Threads end while the plugin is unloaded: their destructors run before, or never. */
static void meanwhile(const char *path, int times)
{
	struct worker workers[4];
	int gone = 0;

	counting = 1;
	for (int i = 0; i < times; i++) {
		void *handle = keyed_open(path);
		uintptr_t address = object_address(handle);

		for (int k = 0; k < 4; k++)
			worker_start(&workers[k], handle, "keys_set", 1);
		for (int k = 0; k < 4; k++)
			sem_post(&workers[k].end);
		plugin_close(handle);
		for (int k = 0; k < 4; k++)
			pthread_join(workers[k].thread, NULL);
		/* a thread in a destructor has put it off until then */
		gone += !address_is_loaded(address);
	}
	counting = 0;
	verdict(gone == times, "it unloads while threads end that have values of its keys");
}

int main(int argc, char **argv)
{
	pthread_key_t key;

	watchdog(200);
	if (argc != 4)
		die("keyshost PLUGIN CYCLES KEYS");
	for (int i = 0; i < atoi(argv[3]); i++)
		pthread_key_create(&key, NULL);
	on_the_unloading_thread(argv[1]);
	in_other_threads(argv[1]);
	held(argv[1], 1000);
	deleted_by_itself(argv[1]);
	of_host(argv[1]);
	over_and_over(argv[1], atoi(argv[2]));
	meanwhile(argv[1], 200);
	return 0;
}
