/* SPDX-License-Identifier: MIT */
/* What is measured; compiled into the plugin and into the host. */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <cstddef>

/* Does so many operations, about twenty calls deep. */
typedef void work_function(long operations);

extern "C" {
/* The workload of that name, or NULL. */
work_function *work_named(const char *name);

/* Leaks so many blocks of 64 bytes. */
void work_leak(long blocks);
}

#endif
