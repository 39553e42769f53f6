// SPDX-License-Identifier: MIT
/*
 * bench PLUGIN.so MILLISECONDS CALLER WORK THREADS	ns for an operation; CALLER: host, plugin
 * bench PLUGIN.so 0 memory BLOCKS			bytes of memory for a live block of 64
 * bench PLUGIN.so 0 unload BLOCKS			ms for an unload with so many leaked
 * bench PLUGIN.so 0 close MIB THREADS			ms for an unload without residue, where the host
 *							has so much memory and so many threads
 * bench PLUGIN.so 0 read MIB				ms to read so much memory once
 *
 * Prints "result NUMBER" as its last line.
 */
#include "work.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>
#include <vector>

#define BATCH 2000

static double now()
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

__attribute__((noreturn)) static void die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

static void *symbol(void *plugin, const char *name)
{
	void *found = dlsym(plugin, name);

	if (!found)
		die(dlerror());
	return found;
}

struct run {
	work_function *work;
	double seconds;
	double ns;
	pthread_t thread;
};

static std::atomic<int> starting;

/* All threads begin at once; the first batches warm the caches up. */
static void *run_thread(void *data)
{
	struct run *run = static_cast<struct run *>(data);
	long operations = 0;
	double start, end;

	for (int i = 0; i < 20; i++)
		run->work(BATCH);
	starting--;
	while (starting > 0)
		;
	start = now();
	do {
		run->work(BATCH);
		operations += BATCH;
		end = now();
	} while (end - start < run->seconds);
	run->ns = (end - start) / operations * 1e9;
	return nullptr;
}

static double measure(work_function *work, double seconds, int threads)
{
	struct run runs[16];
	double sum = 0;

	if (!work || threads < 1 || threads > 16)
		die("no such work");
	starting = threads;
	for (int i = 0; i < threads; i++) {
		runs[i].work = work;
		runs[i].seconds = seconds;
		if (i > 0)
			pthread_create(&runs[i].thread, nullptr, run_thread, &runs[i]);
	}
	run_thread(&runs[0]);
	for (int i = 1; i < threads; i++)
		pthread_join(runs[i].thread, nullptr);
	for (int i = 0; i < threads; i++)
		sum += runs[i].ns;
	return sum / threads;
}

static long resident()
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file || fscanf(file, "%*d %ld", &pages) != 1)
		die("/proc/self/statm");
	fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static double memory(void *plugin, long blocks)
{
	auto leak = reinterpret_cast<work_function *>(symbol(plugin, "work_leak"));
	long before;

	leak(1000);
	before = resident();
	leak(blocks);
	return double(resident() - before) / blocks;
}

static double unload(void *plugin, long blocks)
{
	auto leak = reinterpret_cast<work_function *>(symbol(plugin, "work_leak"));
	double start;

	leak(blocks);
	start = now();
	if (dlclose(plugin) != 0)
		die(dlerror());
	return (now() - start) * 1e3;
}

static double median(std::vector<double> &values)
{
	std::sort(values.begin(), values.end());
	return values[values.size() / 2];
}

/* Memory of a host: touched, and nothing in it looks like an address. */
static std::vector<unsigned long> fill(long mebibytes)
{
	return std::vector<unsigned long>(mebibytes << 17, 12345);
}

static double read_once(long mebibytes)
{
	std::vector<unsigned long> data = fill(mebibytes);
	std::vector<double> times;

	for (int i = 0; i < 9; i++) {
		unsigned long any = 0;
		double start = now();

		for (unsigned long word : data)
			any |= word - 0x7f0000000000 < 0x100000;
		times.push_back((now() - start) * 1e3);
		if (any)
			die("impossible");
	}
	return median(times);
}

static pthread_barrier_t waiting;

static void *wait_thread(void *)
{
	pthread_barrier_wait(&waiting);
	for (;;)
		pause();
}

static double close_often(const char *path, void *plugin, long mebibytes, int threads)
{
	std::vector<unsigned long> data = fill(mebibytes);
	std::vector<double> times;

	pthread_barrier_init(&waiting, nullptr, threads);
	for (int i = 1; i < threads; i++) {
		pthread_t thread;

		if (pthread_create(&thread, nullptr, wait_thread, nullptr) != 0)
			die("pthread_create");
	}
	pthread_barrier_wait(&waiting);
	for (int i = 0; i < 21; i++) {
		double start = now();

		if (dlclose(plugin) != 0)
			die(dlerror());
		times.push_back((now() - start) * 1e3);
		plugin = dlopen(path, RTLD_NOW);
		if (!plugin)
			die(dlerror());
	}
	return median(times);
}

int main(int argc, char **argv)
{
	void *plugin;
	double result;

	if (argc < 5 || !(plugin = dlopen(argv[1], RTLD_NOW)))
		die(argc < 5 ? "usage" : dlerror());
	if (!strcmp(argv[3], "memory")) {
		result = memory(plugin, atol(argv[4]));
	} else if (!strcmp(argv[3], "unload")) {
		result = unload(plugin, atol(argv[4]));
	} else if (!strcmp(argv[3], "read")) {
		result = read_once(atol(argv[4]));
	} else if (argc < 6) {
		die("usage");
	} else if (!strcmp(argv[3], "close")) {
		result = close_often(argv[1], plugin, atol(argv[4]), atoi(argv[5]));
	} else {
		auto named = strcmp(argv[3], "plugin") ? work_named :
			reinterpret_cast<work_function *(*)(const char *)>(symbol(plugin, "work_named"));

		result = measure(named(argv[4]), atof(argv[2]) / 1e3, atoi(argv[5]));
	}
	printf("result %.3f\n", result);
	return 0;
}
