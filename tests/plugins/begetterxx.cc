/* SPDX-License-Identifier: MIT */
/* The same in C++. */
#include "plugin.h"

#include <thread>

PLUGIN long make_std(long count)
{
	long sum = 0;

	for (long i = 0; i < count; i++) {
		std::thread thread([&sum] { sum++; });

		thread.join();
	}
	return sum;
}
