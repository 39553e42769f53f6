/* SPDX-License-Identifier: MIT */
/* The functions that the loader calls when it unloads a file: DT_FINI_ARRAY and DT_FINI. */
#ifndef RELIB_FINALIZERS_H
#define RELIB_FINALIZERS_H

#include "elf/dynamic.h"

struct finalizers {
	const char **names; /* as they stand in the file */
	size_t count;
	size_t unnamed; /* there are no symbols for them */
};

/* In the order in which they run, without those of the compiler's start files. */
void finalizers_read(struct finalizers *finalizers, const struct dynamic *dynamic);
void finalizers_free(struct finalizers *finalizers);

#endif
