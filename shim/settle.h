/* SPDX-License-Identifier: MIT */
/*
 * What a generation has left when it is unloaded, beside memory: found out,
 * recorded, and given back where the settings say so.
 *
 * Behind dlclose, with the module unmapped, the look through memory done and
 * the lock of unloads held; once for each generation.  What would crash when
 * the module is unmapped was taken back before (hooks.h).
 */
#ifndef RELIB_SETTLE_H
#define RELIB_SETTLE_H

#include <stdint.h>

/* generation: its slot. */
void settle_generation(uint16_t slot);

/*
 * The parts of it, for a generation's record: each counts what the program had
 * given back without our seeing it, and records what is left.
 */
void file_locks_settle(uint32_t generation); /* before descriptors go, which end them */
void mutexes_settle(uint32_t generation);
void names_settle(uint32_t generation);
void handles_settle(uint32_t generation);
void children_settle(uint32_t generation);
void environment_settle(uint32_t generation);
void locale_settle(uint32_t generation);
void process_settle(uint32_t generation); /* umask, working directory */

#endif
