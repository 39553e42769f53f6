/* SPDX-License-Identifier: MIT */
/* Leaks known amounts in the ways of C++; marked as in leaks.c. */
#include "plugin.h"

#include <memory>
#include <new>
#include <string>
#include <vector>

struct thing {
	long a[5];
};

struct alignas(128) wide {
	char text[256];
};

PLUGIN void leak_new()
{
	forget(new thing); /* LEAK leak_new 1 40 */
	NOT_A_TAIL_CALL();
}

PLUGIN void leak_new_array()
{
	forget(new char[123]); /* LEAK leak_new_array 1 123 */
	NOT_A_TAIL_CALL();
}

PLUGIN void leak_new_nothrow()
{
	forget(new (std::nothrow) short[50]); /* LEAK leak_new_nothrow 1 100 */
	NOT_A_TAIL_CALL();
}

PLUGIN void leak_new_aligned()
{
	forget(new wide); /* LEAK leak_new_aligned 1 256 */
	NOT_A_TAIL_CALL();
}

PLUGIN void leak_vector()
{
	alignas(std::vector<int>) char place[sizeof(std::vector<int>)];

	forget(new (place) std::vector<int>(250)); /* LEAK leak_vector 1 1000 */
	forget(*reinterpret_cast<void **>(place));
}

PLUGIN void leak_string()
{
	alignas(std::string) char place[sizeof(std::string)];

	forget(new (place) std::string(99, 'x')); /* LEAK leak_string 1 100 */
}

PLUGIN long leak_all(long number)
{
	leak_new();
	leak_new_array();
	leak_new_nothrow();
	leak_new_aligned();
	leak_vector();
	leak_string();
	std::vector<std::unique_ptr<std::string>> all;
	for (int i = 0; i < 20; i++)
		all.emplace_back(new std::string(i * 10, 'y'));
	return number;
}
