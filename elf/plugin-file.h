/* SPDX-License-Identifier: MIT */
/* A file that is said to be a plugin, checked before anything is started. */
#ifndef RELIB_PLUGIN_FILE_H
#define RELIB_PLUGIN_FILE_H

#include "elf/error.h"

/*
 * Whether dlopen can take @path: a regular, readable, whole ELF shared object
 * of this machine.  Anything else gives one line that says what it is and what
 * to do.
 */
int plugin_file_check(const char *path, struct error *error);

#endif
