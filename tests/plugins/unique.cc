/* SPDX-License-Identifier: MIT */
/* A plugin with a symbol of which there is one in the process (STB_GNU_UNIQUE). */
#include "plugin.h"

template <typename T> struct registry {
	static long count;
};

template <typename T> long registry<T>::count = 41;

PLUGIN long answer(long number)
{
	return registry<int>::count + number;
}
