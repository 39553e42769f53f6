/* SPDX-License-Identifier: MIT */
/* A plugin whose loops run in libgomp's threads. */
#include "plugin.h"

PLUGIN long sum(long threads)
{
	long result = 0;

#pragma omp parallel num_threads(threads) reduction(+ : result)
	result += 10;
	return result;
}
