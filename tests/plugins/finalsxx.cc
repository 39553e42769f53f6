/* SPDX-License-Identifier: MIT */
/* A C++ plugin of waiter.c whose static objects are destroyed; with WORKER one joins its thread. */
#include "plugin.h"
#include "waiter.h"

#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>

namespace
{
struct object {
	std::string name;

	explicit object(const char *given) : name(given)
	{
		host_note(("+" + name).c_str());
	}

	~object()
	{
		host_note(("-" + name).c_str());
	}
};

struct worker {
	std::mutex lock;
	std::condition_variable changed;
	bool stop = false;
	std::thread thread;

	worker()
	{
#ifdef WORKER
		thread = std::thread([this] {
			std::unique_lock<std::mutex> held(lock);

			changed.wait(held, [this] { return stop; });
			host_note("worker");
		});
#endif
	}

	~worker()
	{
#ifdef WORKER
		{
			std::lock_guard<std::mutex> held(lock);
			stop = true;
		}
		changed.notify_one();
		thread.join();
#else
		host_note("worker");
#endif
	}
};

object first("first");
worker the_worker;
object second("second");

object &local()
{
	static object made("local");

	return made;
}

void at_exit()
{
	host_note("atexit");
}
} // namespace

PLUGIN long answer(long number)
{
	std::atexit(at_exit);
	local();
	return number + 41;
}
