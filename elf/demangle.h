/* SPDX-License-Identifier: MIT */
#ifndef RELIB_DEMANGLE_H
#define RELIB_DEMANGLE_H

#include <stdbool.h>

bool name_is_mangled(const char *name);

/*
 * The readable form of a C++ or (legacy) Rust symbol name, to be freed.  Names
 * that are not mangled, and all names where libstdc++ is not installed, come
 * back as they are.  From one thread only.
 */
char *name_demangled(const char *name);

#endif
