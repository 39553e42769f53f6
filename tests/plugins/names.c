/* SPDX-License-Identifier: MIT */
/*
 * A plugin that makes what has a name or an id beyond the process.  Each
 * function makes one; with REMOVE it removes it again, by the function that
 * belongs to it.  What has to have a name of its own has the process's number
 * in it, as made_name() says.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEAVE 0
#define REMOVE 1

static const char *made_name(const char *what)
{
	static char name[64];

	snprintf(name, sizeof(name), "/relib-test-%s-%d", what, (int)getpid());
	return name;
}

static key_t made_key(int what)
{
	return (key_t)(0x52000000 | (getpid() & 0xffff) << 4 | what);
}

/* The same file by another path. */
static long file_end(int fd, char *path, long remove)
{
	char other[128];

	if (fd < 0 || close(fd))
		return -errno;
	snprintf(other, sizeof(other), ".//%s", path);
	return remove == LEAVE || !unlink(other);
}

PLUGIN long by_mkstemp(long remove)
{
	char path[] = "mkstemp-XXXXXX";

	return file_end(mkstemp(path), path, remove);
}

PLUGIN long by_mkstemp64(long remove)
{
	char path[] = "mkstemp64-XXXXXX";

	return file_end(mkstemp64(path), path, remove);
}

PLUGIN long by_mkostemp(long remove)
{
	char path[] = "mkostemp-XXXXXX";

	return file_end(mkostemp(path, O_CLOEXEC), path, remove);
}

PLUGIN long by_mkostemp64(long remove)
{
	char path[] = "mkostemp64-XXXXXX";

	return file_end(mkostemp64(path, O_CLOEXEC), path, remove);
}

PLUGIN long by_mkstemps(long remove)
{
	char path[] = "mkstemps-XXXXXX.txt";

	return file_end(mkstemps(path, 4), path, remove);
}

PLUGIN long by_mkstemps64(long remove)
{
	char path[] = "mkstemps64-XXXXXX.txt";

	return file_end(mkstemps64(path, 4), path, remove);
}

PLUGIN long by_mkostemps(long remove)
{
	char path[] = "mkostemps-XXXXXX.txt";

	return file_end(mkostemps(path, 4, O_CLOEXEC), path, remove);
}

PLUGIN long by_mkostemps64(long remove)
{
	char path[] = "mkostemps64-XXXXXX.txt";

	return file_end(mkostemps64(path, 4, O_CLOEXEC), path, remove);
}

PLUGIN long by_mkdtemp(long remove)
{
	char path[64];

	strcpy(path, "mkdtemp-XXXXXX");
	if (!mkdtemp(path))
		return -errno;
	strcat(path, "/");
	return remove == LEAVE || !rmdir(path);
}

PLUGIN long with_remove(long unused)
{
	char path[] = "remove-XXXXXX";
	int fd = mkstemp(path);

	(void)unused;
	return !close(fd) && !remove(path);
}

PLUGIN long with_unlinkat(long unused)
{
	char path[] = "unlinkat-XXXXXX";
	int fd = mkstemp(path), directory = open(".", O_RDONLY | O_DIRECTORY);

	(void)unused;
	return !close(fd) && !unlinkat(directory, path, 0) && !close(directory);
}

/* The usual way to replace a file: nothing is left behind. */
PLUGIN long with_rename(long unused)
{
	char path[] = "renamed-XXXXXX";
	int fd = mkstemp(path);

	(void)unused;
	return !close(fd) && !rename(path, "renamed");
}

PLUGIN long with_full_directory(long unused)
{
	char path[64] = "full-XXXXXX";

	(void)unused;
	if (!mkdtemp(path))
		return -errno;
	strcat(path, "/file");
	return !close(open(path, O_CREAT | O_WRONLY, 0600));
}

/* Another file at the path of one that is gone. */
PLUGIN long with_replaced(long unused)
{
	char path[] = "replaced-XXXXXX";
	int fd = mkstemp(path);

	(void)unused;
	if (rename(path, "was-replaced"))
		return 0;
	return !close(open(path, O_CREAT | O_WRONLY, 0600)) && !close(fd);
}

PLUGIN long by_shm_open(long remove)
{
	int fd = shm_open(made_name("shm"), O_RDWR | O_CREAT, 0600);

	if (fd < 0 || close(fd))
		return -errno;
	return remove == LEAVE || !shm_unlink(made_name("shm"));
}

PLUGIN long by_sem_open(long remove)
{
	sem_t *semaphore = sem_open(made_name("sem"), O_CREAT, 0600, 3);
	int value;

	if (semaphore == SEM_FAILED)
		return -errno;
	if (sem_getvalue(semaphore, &value) || value != 3)
		return -EINVAL;
	return remove == LEAVE || (!sem_close(semaphore) && !sem_unlink(made_name("sem")));
}

PLUGIN long by_mq_open(long remove)
{
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 16 }, got;
	mqd_t queue = mq_open(made_name("mq"), O_RDWR | O_CREAT, 0600, &attributes);

	if (queue < 0)
		return -errno;
	if (mq_getattr(queue, &got) || got.mq_maxmsg != 2 || got.mq_msgsize != 16 ||
		mq_close(queue))
		return -EINVAL;
	return remove == LEAVE || !mq_unlink(made_name("mq"));
}

PLUGIN long by_shmget(long remove)
{
	int id = shmget(made_key(1), 4096, IPC_CREAT | 0600);

	return id < 0 ? -errno : remove == LEAVE || !shmctl(id, IPC_RMID, NULL);
}

PLUGIN long by_semget(long remove)
{
	int id = semget(made_key(2), 2, IPC_CREAT | IPC_EXCL | 0600);
	struct semid_ds status;

	if (id < 0 || semctl(id, 1, SETVAL, 5) || semctl(id, 1, GETVAL) != 5 ||
		semctl(id, 0, IPC_STAT, &status) || status.sem_nsems != 2)
		return -errno;
	return remove == LEAVE || !semctl(id, 0, IPC_RMID);
}

PLUGIN long by_msgget(long remove)
{
	int id = msgget(made_key(3), IPC_CREAT | 0600);

	return id < 0 ? -errno : remove == LEAVE || !msgctl(id, IPC_RMID, NULL);
}

PLUGIN long private_ids(long remove)
{
	int memory = shmget(IPC_PRIVATE, 4096, 0600);
	int semaphores = semget(IPC_PRIVATE, 1, 0600);
	int queue = msgget(IPC_PRIVATE, 0600);

	return remove == LEAVE || (!shmctl(memory, IPC_RMID, NULL) &&
					  !semctl(semaphores, 0, IPC_RMID) &&
					  !msgctl(queue, IPC_RMID, NULL));
}

/* What the functions above leave is there already: nothing is made. */
PLUGIN long open_existing(long unused)
{
	int fd = shm_open(made_name("shm"), O_RDWR | O_CREAT, 0600);
	sem_t *semaphore = sem_open(made_name("sem"), O_CREAT, 0600, 9);

	(void)unused;
	if (fd < 0 || close(fd) || semaphore == SEM_FAILED || sem_close(semaphore))
		return -errno;
	return shmget(made_key(1), 4096, IPC_CREAT | 0600) >= 0 &&
	       msgget(made_key(3), IPC_CREAT | 0600) >= 0;
}

PLUGIN long open_existing_queue(long unused)
{
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 16 };
	mqd_t queue = mq_open(made_name("mq"), O_RDWR | O_CREAT, 0600, &attributes);

	(void)unused;
	return queue < 0 ? -errno : !mq_close(queue);
}

/* As somebody else: nobody else removes them. */
PLUGIN long remove_all(long unused)
{
	(void)unused;
	shm_unlink(made_name("shm"));
	sem_unlink(made_name("sem"));
	mq_unlink(made_name("mq"));
	shmctl(shmget(made_key(1), 0, 0), IPC_RMID, NULL);
	semctl(semget(made_key(2), 0, 0), 0, IPC_RMID);
	msgctl(msgget(made_key(3), 0), IPC_RMID, NULL);
	return 1;
}

/* How many of those are there. */
PLUGIN long count_all(long unused)
{
	sem_t *semaphore = sem_open(made_name("sem"), 0);
	int fd = shm_open(made_name("shm"), O_RDWR, 0);
	long count = (semaphore != SEM_FAILED) + (fd >= 0);

	(void)unused;
	if (semaphore != SEM_FAILED)
		sem_close(semaphore);
	if (fd >= 0)
		close(fd);
	return count + (shmget(made_key(1), 0, 0) >= 0) + (semget(made_key(2), 0, 0) >= 0) +
	       (msgget(made_key(3), 0) >= 0);
}
