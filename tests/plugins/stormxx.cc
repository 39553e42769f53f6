// SPDX-License-Identifier: MIT
// Allocates, throws and catches, asks for the loaded objects, and begins a thread that ends soon.
#include "plugin.h"

#include <link.h>
#include <pthread.h>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

static std::string *alive = new std::string("constructed");

struct Ended {
	~Ended()
	{
		delete alive;
		alive = nullptr;
	}
};
static Ended ended;

// Empty again when it is destroyed: a module that is opened again after its finalizers ran has
// no new thread-locals.
struct Local {
	std::vector<int> values;
	~Local()
	{
		std::vector<int>().swap(values);
	}
};
static thread_local Local local;

NOINLINE static int thrower(int depth, int seed)
{
	std::string text(100 + seed % 100, 'x');

	if (depth == 0)
		throw std::runtime_error(text);
	return thrower(depth - 1, seed) + (int)text.size();
}

static int count_objects(struct dl_phdr_info *, size_t, void *data)
{
	++*static_cast<int *>(data);
	return 0;
}

PLUGIN int storm_work(int seed)
{
	std::vector<std::string> strings;
	int caught = 0, objects = 0;

	if (!alive || *alive != "constructed")
		return -1;
	for (int i = 0; i < 20; i++)
		strings.emplace_back(50 + (seed + i) % 50, 'y');
	local.values.push_back(seed);
	for (int i = 0; i < 3; i++) {
		try {
			thrower(5, seed + i);
		} catch (const std::exception &e) {
			caught += (int)std::string(e.what()).size() == 100 + (seed + i) % 100;
		}
	}
	dl_iterate_phdr(count_objects, &objects);
	return objects > 2 && caught == 3 ? seed : -2;
}

NOINLINE static void *passing(void *data)
{
	usleep((useconds_t)(size_t)data % 3000);
	storm_work((int)(size_t)data);
	return nullptr;
}

// A detached thread, which may be there still when the plugin is closed.
PLUGIN int storm_thread(int seed)
{
	pthread_t thread;

	if (pthread_create(&thread, nullptr, passing, (void *)(size_t)seed) != 0)
		return -1;
	pthread_detach(thread);
	return seed;
}
