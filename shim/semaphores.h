/* SPDX-License-Identifier: MIT */
/*
 * Handles of named semaphores that modules opened: SESSION_SEM, with the
 * generation's slot in data[2].  All that open one name get one address, which
 * the C library counts: a holding's key is that and which of them it is.
 */
#ifndef RELIB_SEMAPHORES_H
#define RELIB_SEMAPHORES_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/ledger.h"

#define SEMAPHORE_HANDLES sizeof(sem_t) /* of one: below the next semaphore's address */

/* It begins a page, of its own. */
static inline uintptr_t semaphore_address(const struct holding *holding)
{
	return (uintptr_t)holding->key & ~(uintptr_t)(SEMAPHORE_HANDLES - 1);
}

/* Whether anybody has it open still. */
bool semaphore_is_open(const struct holding *holding);

/* How many handles of it modules have open now. */
size_t semaphore_handles(uintptr_t semaphore);

/* Closes one of its handles.  False: it was not open. */
bool semaphore_close(uintptr_t semaphore);

#endif
