// SPDX-License-Identifier: MIT
// A plugin with thread-locals that have destructors; each tells the host its number.
#include "plugin.h"

#include <stdlib.h>

#ifndef BASE
#define BASE 0
#endif

extern "C" void host_note(int number);

namespace {

void touch_late();

struct Noted {
	explicit Noted(int n) : number(n), block(malloc(100)) {}
	~Noted()
	{
		void *more = malloc(50);

		forget(more);
		free(more);
		free(block);
		host_note(BASE + number);
		if (number == 2)
			touch_late();
	}
	void touch() { forget(block); }
	int number;
	void *block;
};

thread_local Noted first(1), second(2), third(3);

// made by a destructor
void touch_late()
{
	thread_local Noted late(4);

	late.touch();
}

} // namespace

PLUGIN long touch(long count)
{
	first.touch();
	second.touch();
	third.touch();
	return count;
}
