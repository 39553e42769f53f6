/* SPDX-License-Identifier: MIT */
/* System V shared memory, semaphores and message queues: by id, which is not used again soon. */
#include <errno.h>
#include <stdarg.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "shim/names.h"
#include "shim/next.h"
#include "shim/opening.h"
#include "shim/settle.h"
#include "shim/sys.h"
#include "shim/text.h"

static void object_made(struct origin origin, enum session_resource kind, int id, key_t key)
{
	char room[32];
	struct text text = text_in(room, sizeof(room));

	if (key == IPC_PRIVATE) {
		text_add(&text, "private");
	} else {
		text_add(&text, "key ");
		text_hex(&text, (uint32_t)key);
	}
	name_made(origin, kind, (uint64_t)id, 0, room);
}

/* get(flags) is the call for a key, with other flags; FLAGS its flags. */
#define GETTER(name, parameters, kind, call)                                                       \
	int name parameters;                                                                       \
	RELIB_EXPORT int name parameters                                                           \
	{                                                                                          \
		struct origin origin;                                                              \
		int flags = given;                                                                 \
		bool made;                                                                         \
		int id;                                                                            \
                                                                                                   \
		if (!next_ready() || !next.name)                                                   \
			return function_missing();                                                 \
		origin = CALL_ORIGIN();                                                            \
		if (!origin.place || (key != IPC_PRIVATE && !(given & IPC_CREAT)))                 \
			return next.name call;                                                     \
		made = true;                                                                       \
		if (key == IPC_PRIVATE || given & IPC_EXCL)                                        \
			id = next.name call;                                                       \
		else                                                                               \
			NAME_MAKE(id, -1, made, (flags = given | IPC_EXCL, next.name call),        \
				(flags = given & ~IPC_CREAT, next.name call));                     \
		if (made && id >= 0)                                                               \
			object_made(origin, kind, id, key);                                        \
		return id;                                                                         \
	}

GETTER(shmget, (key_t key, size_t size, int given), SESSION_SHM_ID, (key, size, flags))
GETTER(semget, (key_t key, int count, int given), SESSION_SEM_ID, (key, count, flags))
GETTER(msgget, (key_t key, int given), SESSION_QUEUE_ID, (key, flags))

static int removed(int result, enum session_resource kind, int id, int command)
{
	struct holding was;

	if (!result && command == IPC_RMID)
		ledger_give_back(kind, (uint64_t)id, &was);
	return result;
}

int shmctl(int id, int command, struct shmid_ds *buffer);
RELIB_EXPORT int shmctl(int id, int command, struct shmid_ds *buffer)
{
	if (!next_ready() || !next.shmctl)
		return function_missing();
	return removed(next.shmctl(id, command, buffer), SESSION_SHM_ID, id, command);
}

int msgctl(int id, int command, struct msqid_ds *buffer);
RELIB_EXPORT int msgctl(int id, int command, struct msqid_ds *buffer)
{
	if (!next_ready() || !next.msgctl)
		return function_missing();
	return removed(next.msgctl(id, command, buffer), SESSION_QUEUE_ID, id, command);
}

int semctl(int id, int number, int command, ...);
RELIB_EXPORT int semctl(int id, int number, int command, ...)
{
	void *argument;
	va_list arguments;

	if (!next_ready() || !next.semctl)
		return function_missing();
	/* a union of a pointer and a number, if there is any: passed on as it came */
	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return removed(next.semctl(id, number, command, argument), SESSION_SEM_ID, id, command);
}

/* One that may not be read is there.  Memory that is attached goes when it no longer is. */
static bool memory_is_there(const struct holding *holding)
{
	struct shmid_ds status;
	long error = sys_call(SYS_shmctl, holding->key, IPC_STAT, &status);

	return error == -EACCES || (!error && !(status.shm_perm.mode & SHM_DEST));
}

static bool semaphores_are_there(const struct holding *holding)
{
	struct semid_ds status;
	long error = sys_call6(SYS_semctl, (long)holding->key, 0, IPC_STAT, (long)&status, 0, 0);

	return !error || error == -EACCES;
}

static bool queue_is_there(const struct holding *holding)
{
	struct msqid_ds status;
	long error = sys_call(SYS_msgctl, holding->key, IPC_STAT, &status);

	return !error || error == -EACCES;
}

static const char *memory_remove(const struct holding *holding)
{
	return name_error(sys_call(SYS_shmctl, holding->key, IPC_RMID, 0));
}

static const char *semaphores_remove(const struct holding *holding)
{
	return name_error(sys_call(SYS_semctl, holding->key, 0, IPC_RMID));
}

static const char *queue_remove(const struct holding *holding)
{
	return name_error(sys_call(SYS_msgctl, holding->key, IPC_RMID, 0));
}

void ipc_settle(uint32_t generation)
{
	const struct name_kind kinds[] = {
		{SESSION_SHM_ID, true, memory_is_there, memory_remove},
		{SESSION_SEM_ID, true, semaphores_are_there, semaphores_remove},
		{SESSION_QUEUE_ID, true, queue_is_there, queue_remove},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		name_kind_settle(&kinds[i], generation);
}
