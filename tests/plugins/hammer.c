/* SPDX-License-Identifier: MIT */
/*
 * hammer LOADS FIRST.so SECOND.so STEADY.so: two threads load and unload a
 * plugin each, so many times; each load leaks a block and hands one over.  Two
 * other threads check and free what was handed over, give the steady plugin's
 * blocks to each other, and allocate as the host does.
 */
#include "host.h"

#include <pthread.h>
#include <stdatomic.h>

#define QUEUE_SIZE 64

struct item {
	void *block;
	size_t size;
	unsigned int seed;
};

static struct item queue[QUEUE_SIZE];
static size_t queue_used;
static int queue_ended;
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t queue_changed = PTHREAD_COND_INITIALIZER;

typedef void make_fn(void **slot, size_t size, unsigned int seed);

static long loads;
static make_fn *steady_make;
static void (*steady_free)(void *);
static atomic_long made, steady_made, freed, spoilt, stayed;

static void queue_put(struct item *item)
{
	pthread_mutex_lock(&queue_lock);
	while (queue_used == QUEUE_SIZE)
		pthread_cond_wait(&queue_changed, &queue_lock);
	queue[queue_used++] = *item;
	item->block = NULL;
	pthread_cond_broadcast(&queue_changed);
	pthread_mutex_unlock(&queue_lock);
}

static int queue_get(struct item *item)
{
	int got = 0;

	pthread_mutex_lock(&queue_lock);
	while (queue_used == 0 && !queue_ended)
		pthread_cond_wait(&queue_changed, &queue_lock);
	if (queue_used > 0) {
		*item = queue[--queue_used];
		queue[queue_used].block = NULL;
		got = 1;
	}
	pthread_cond_broadcast(&queue_changed);
	pthread_mutex_unlock(&queue_lock);
	return got;
}

static int path_step(struct dl_phdr_info *info, size_t size, void *path)
{
	(void)size;
	return !strcmp(info->dlpi_name, path);
}

/* Not by address: the other thread's plugin may be there by now. */
static int path_is_loaded(const char *path)
{
	return dl_iterate_phdr(path_step, (void *)path);
}

NOINLINE static void load_once(const char *path, long i)
{
	void *handle = plugin_open(path);
	struct item item = { NULL, 16 + (size_t)i % 3000, (unsigned int)i };

	((void (*)(void))plugin_symbol(handle, "churn_leak"))();
	((make_fn *)plugin_symbol(handle, "churn_make"))(&item.block, item.size, item.seed);
	atomic_fetch_add(&made, 1);
	queue_put(&item);
	if (dlclose(handle) != 0 || path_is_loaded(path))
		atomic_fetch_add(&stayed, 1);
}

static void *loader(void *path)
{
	for (long i = 0; i < loads; i++)
		load_once(path, i);
	return NULL;
}

NOINLINE static void finish(struct item *item, long i)
{
	if (!pattern_holds(item->block, item->size, item->seed))
		atomic_fetch_add(&spoilt, 1);
	if (i % 2)
		free(item->block);
	else
		steady_free(item->block);
	item->block = NULL;
	atomic_fetch_add(&freed, 1);
}

static void *worker(void *unused)
{
	struct item item;
	void *own[50] = { NULL };

	for (long i = 0; queue_get(&item); i++) {
		void **slot = &own[i % 50];

		finish(&item, i);
		free(*slot);
		if (i % 3) {
			*slot = malloc(16 + (size_t)i % 5000);
		} else {
			steady_make(slot, 200, 1);
			atomic_fetch_add(&steady_made, 1);
		}
	}
	for (int i = 0; i < 50; i++)
		free(own[i]);
	return unused;
}

/* Once more without the others: what a stale pointer kept is looked at again. */
NOINLINE static void last_look(const char *path)
{
	void *handle = plugin_open(path);

	scrub_stack();
	plugin_close(handle);
}

int main(int argc, char **argv)
{
	pthread_t loaders[2], workers[2];
	void *steady;

	if (argc != 5)
		die("usage: hammer LOADS FIRST.so SECOND.so STEADY.so");
	watchdog(300);
	loads = atol(argv[1]);
	steady = plugin_open(argv[4]);
	steady_make = (make_fn *)plugin_symbol(steady, "churn_make");
	steady_free = (void (*)(void *))plugin_symbol(steady, "churn_free");
	for (int i = 0; i < 2; i++) {
		pthread_create(&workers[i], NULL, worker, NULL);
		pthread_create(&loaders[i], NULL, loader, argv[2 + i]);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(loaders[i], NULL);
	pthread_mutex_lock(&queue_lock);
	queue_ended = 1;
	pthread_cond_broadcast(&queue_changed);
	pthread_mutex_unlock(&queue_lock);
	for (int i = 0; i < 2; i++)
		pthread_join(workers[i], NULL);
	last_look(argv[2]);
	verdict(made == 2 * loads && freed == made, "every block handed over is freed once");
	verdict(spoilt == 0, "no block is spoilt");
	verdict(stayed == 0, "every unload unloads");
	dprintf(1, "steady %ld\n", (long)steady_made);
	return 0;
}
