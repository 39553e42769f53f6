/* SPDX-License-Identifier: MIT */
/* A plugin whose symbols others bind. */
#include "plugin.h"

PLUGIN long bound_function(long number)
{
	return number + 41;
}

PLUGIN long answer(long number)
{
	return number + 40;
}
