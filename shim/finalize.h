/* SPDX-License-Identifier: MIT */
/* What runs while a module is being unloaded and is still mapped. */
#ifndef RELIB_FINALIZE_H
#define RELIB_FINALIZE_H

#include <stdint.h>

/* What a thread is doing, in struct thread's closing. */
enum finalize_when {
	FINALIZE_NOT,	 /* the program ends, or nothing */
	FINALIZE_EARLY,	 /* finalizers run, and it is not known yet whether the module can go */
	FINALIZE_UNLOAD, /* the module goes */
};

/*
 * The last thing before a generation is unmapped, after its finalizers: its
 * keys' destructors run for the calling thread, its keys and hooks are taken
 * back.  Done by its own call of __cxa_finalize where it has one and goes
 * right now; else to be called before the dlclose.  Once only.  Calls the
 * module: no lock may be held.
 */
void finalize_finish(uint16_t generation);

#endif
