/* SPDX-License-Identifier: MIT */
/* A C++ plugin that leaves nothing behind: static objects, exceptions, atexit, threads. */
#include "plugin.h"

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>

namespace
{

struct counter {
	long value;
	counter() : value(1) {}
	~counter() { value = 0; }
};

counter first, second;
std::map<std::string, long> table = {{"one", 1}, {"two", 2}};

void at_end()
{
	first.value = 0;
}

} // namespace

PLUGIN long clean_work(long number)
{
	static counter local;
	static bool once = std::atexit(at_end) == 0;

	try {
		if (once)
			throw std::runtime_error("thrown by the plugin");
	} catch (const std::exception &e) {
		number += (long)std::string(e.what()).size() - 20;
	}
	std::thread([&] { number += local.value + table["one"] - 2; }).join();
	return number;
}
