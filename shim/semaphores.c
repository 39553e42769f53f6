/* SPDX-License-Identifier: MIT */
/* Named semaphores.  What the host closes may be the host's own. */
#include "shim/semaphores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "shim/identity.h"
#include "shim/names.h"
#include "shim/next.h"
#include "shim/opening.h"
#include "shim/posix-names.h"
#include "shim/settle.h"

#define PREFIX "sem."

static const char *name_of(const struct holding *holding)
{
	return session_record(SESSION_STRINGS, holding->text);
}

static void handle_opened(struct origin origin, sem_t *semaphore, const char *name)
{
	uintptr_t key = (uintptr_t)semaphore;
	struct holding holding;

	while (key - (uintptr_t)semaphore < SEMAPHORE_HANDLES &&
		ledger_find(SESSION_SEM, key, &holding))
		key++;
	if (key - (uintptr_t)semaphore < SEMAPHORE_HANDLES)
		name_made(origin, SESSION_SEM, key, 0, name);
}

static sem_t *semaphore_open(
	const char *name, int flags, mode_t mode, unsigned int value, struct origin origin)
{
	bool made = false;
	sem_t *semaphore;

	if (!origin.place)
		return next.sem_open(name, flags, mode, value);
	if (!(flags & O_CREAT)) {
		semaphore = next.sem_open(name, flags);
	} else if (flags & O_EXCL) {
		semaphore = next.sem_open(name, flags, mode, value);
		made = semaphore != SEM_FAILED;
	} else {
		NAME_MAKE(semaphore, SEM_FAILED, made,
			next.sem_open(name, flags | O_EXCL, mode, value),
			next.sem_open(name, flags & ~O_CREAT));
	}
	if (semaphore != SEM_FAILED)
		handle_opened(origin, semaphore, name);
	if (made)
		name_made(origin, SESSION_SEM_NAME, posix_name_key(name),
			posix_name_identity(PREFIX, name), name);
	return semaphore;
}

sem_t *sem_open(const char *name, int flags, ...);
RELIB_EXPORT sem_t *sem_open(const char *name, int flags, ...)
{
	unsigned int value = 0;
	mode_t mode = 0;
	va_list arguments;

	if (!next_ready() || !next.sem_open) {
		errno = ENOSYS;
		return SEM_FAILED;
	}
	if (flags & O_CREAT) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		value = va_arg(arguments, unsigned int);
		va_end(arguments);
	}
	return semaphore_open(name, flags, mode, value, CALL_ORIGIN());
}

static bool is_mapped(uintptr_t address)
{
	return !sys_call(SYS_msync, address & ~(uintptr_t)4095, 1, MS_ASYNC);
}

/* A module closes one of its own, if it has any. */
static void handle_closing(uintptr_t semaphore, struct origin origin)
{
	uint32_t generation = origin.place ? generation_at(origin.generation)->record : 0;
	uintptr_t found = 0;
	struct holding holding;

	for (uintptr_t key = semaphore; generation && key < semaphore + SEMAPHORE_HANDLES; key++)
		if (ledger_find(SESSION_SEM, key, &holding) &&
			(!found || balance_at(holding.balance)->generation == generation))
			found = key;
	if (found)
		ledger_give_back(SESSION_SEM, found, &holding);
}

/* Nobody has it open any more. */
static void handles_closed(uintptr_t semaphore)
{
	struct holding holding;

	for (uintptr_t key = semaphore; key < semaphore + SEMAPHORE_HANDLES; key++)
		ledger_give_back(SESSION_SEM, key, &holding);
}

int sem_close(sem_t *semaphore);
RELIB_EXPORT int sem_close(sem_t *semaphore)
{
	int result;

	if (!next_ready() || !next.sem_close)
		return function_missing();
	if (ledger_is_empty(SESSION_SEM))
		return next.sem_close(semaphore);
	handle_closing((uintptr_t)semaphore, CALL_ORIGIN());
	result = next.sem_close(semaphore);
	if (!result && !ledger_is_empty(SESSION_SEM) && !is_mapped((uintptr_t)semaphore))
		handles_closed((uintptr_t)semaphore);
	return result;
}

int sem_unlink(const char *name);
RELIB_EXPORT int sem_unlink(const char *name)
{
	int result;

	if (!next_ready() || !next.sem_unlink)
		return function_missing();
	result = next.sem_unlink(name);
	if (!result)
		posix_name_removed(SESSION_SEM_NAME, name);
	return result;
}

bool semaphore_is_open(const struct holding *holding)
{
	return is_mapped(semaphore_address(holding));
}

size_t semaphore_handles(uintptr_t semaphore)
{
	struct holding holding;
	size_t count = 0;

	for (uintptr_t key = semaphore; key < semaphore + SEMAPHORE_HANDLES; key++)
		count += ledger_find(SESSION_SEM, key, &holding);
	return count;
}

bool semaphore_close(uintptr_t semaphore)
{
	int saved = errno;
	bool done = next.sem_close && !next.sem_close((sem_t *)semaphore);

	errno = saved;
	return done;
}

static bool name_is_there(const struct holding *holding)
{
	return holding->text && posix_name_identity(PREFIX, name_of(holding)) == holding->data[0];
}

static const char *name_remove(const struct holding *holding)
{
	return next.sem_unlink(name_of(holding)) ? name_error(-errno) : NULL;
}

void semaphores_settle(uint32_t generation)
{
	const struct name_kind handle = {SESSION_SEM, true, semaphore_is_open, NULL};
	const struct name_kind name = {SESSION_SEM_NAME, false, name_is_there, name_remove};
	int saved = errno;

	name_kind_settle(&handle, generation);
	name_kind_settle(&name, generation);
	errno = saved;
}
