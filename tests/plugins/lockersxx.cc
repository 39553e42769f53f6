/* SPDX-License-Identifier: MIT */
/* A C++ plugin that locks what is in the box with the classes of the standard library. */
#include "plugin.h"

#include <chrono>
#include <mutex>
#include <new>
#include <pthread.h>
#include <shared_mutex>

extern "C" {
extern pthread_mutex_t box_mutex[];
extern pthread_rwlock_t box_rwlock[];
}

template <class T> static T *made(void *room)
{
	static_assert(sizeof(T) <= 2 * sizeof(pthread_mutex_t), "room");
	return new (room) T;
}

PLUGIN long std_mutex(long number)
{
	made<std::mutex>(&box_mutex[number])->lock();
	NOT_A_TAIL_CALL();
	return 0;
}

PLUGIN long std_timed_mutex(long number)
{
	return !made<std::timed_mutex>(&box_mutex[number])->try_lock_for(std::chrono::seconds(20));
}

PLUGIN long std_recursive_mutex(long number)
{
	auto *mutex = made<std::recursive_mutex>(&box_mutex[number]);

	mutex->lock();
	mutex->lock();
	mutex->unlock();
	return 0;
}

PLUGIN long std_shared_mutex(long number)
{
	made<std::shared_mutex>(&box_rwlock[number])->lock();
	NOT_A_TAIL_CALL();
	return 0;
}

PLUGIN long std_shared_mutex_shared(long number)
{
	made<std::shared_mutex>(&box_rwlock[number])->lock_shared();
	NOT_A_TAIL_CALL();
	return 0;
}

PLUGIN long std_guards(long number)
{
	auto *mutex = made<std::mutex>(&box_mutex[number]);
	auto *shared = made<std::shared_mutex>(&box_rwlock[number]);

	for (int i = 0; i < 100; i++) {
		std::lock_guard<std::mutex> guard(*mutex);
		std::shared_lock<std::shared_mutex> one(*shared);
		std::shared_lock<std::shared_mutex> other(*shared);
	}
	std::scoped_lock both(*mutex, *shared);
	return 0;
}
