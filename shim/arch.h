/* SPDX-License-Identifier: MIT */
/*
 * What depends on the processor, for the parts that stop the world and read
 * its memory.  A port adds one header with the same names.
 */
#ifndef RELIB_ARCH_H
#define RELIB_ARCH_H

#if defined(__x86_64__) && defined(__LP64__)
#include "shim/arch-x86_64.h"
#else
#error "relib: this processor is not supported yet"
#endif

/*
 * A system call without libc: nothing of the calling thread's TLS is touched,
 * errno in particular.  Returns what the kernel returns, -errno for a failure.
 * Up to six arguments.
 */
#define raw(...) RAW_PAD_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define RAW_PAD_(number, a, b, c, d, e, f, ...)                                                    \
	arch_syscall((number), (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#endif
