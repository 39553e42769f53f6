/* SPDX-License-Identifier: MIT */
/* How large a process is, as it sees itself in /proc, without memory of its own for it. */
#ifndef RELIB_MEASURE_H
#define RELIB_MEASURE_H

#include "cli/host-record.h"

/* Leaves the cycle alone. */
void measure(struct measurement *measurement);

#endif
