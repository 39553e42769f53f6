/* SPDX-License-Identifier: MIT */
/* The other files of relib: beside this program in a build tree, else where they were installed. */
#ifndef RELIB_INSTALL_H
#define RELIB_INSTALL_H

#include "elf/error.h"

/* The preload library: $RELIB_SHIM, the build tree's, the installed one.  To be freed. */
char *install_shim(struct error *error);

/* The built-in host.  To be freed. */
char *install_host(struct error *error);

#endif
