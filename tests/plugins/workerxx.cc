/* SPDX-License-Identifier: MIT */
/* A C++ plugin of waiter.c: std::thread, and a host's worker that leaves by an exception. */
#include "plugin.h"
#include "waiter.h"

#include <thread>

static struct object {
	object()
	{
		host_note("+xx");
	}
	~object()
	{
		host_note("-xx");
	}
} the_object;

PLUGIN long start_std(long slot)
{
	std::thread thread([slot] { host_hold(slot); });

	host_thread(slot, thread.native_handle());
	thread.detach();
	host_arrived(slot);
	return slot;
}

PLUGIN long throw_out(long slot)
{
	host_hold(slot);
	throw 5;
}

PLUGIN long answer(long number)
{
	return number + 41;
}
