/* SPDX-License-Identifier: MIT */
/*
 * A plugin that locks what is in the box, and what is its own, and mostly does
 * not unlock it.  Each function locks the lock of the number it is given.
 */
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/file.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

extern pthread_mutex_t box_mutex[], *box_heap_mutex;
extern pthread_rwlock_t box_rwlock[];
extern mtx_t box_mtx[];

static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;

static const struct timespec *soon(clockid_t clock)
{
	static struct timespec until;

	clock_gettime(clock, &until);
	until.tv_sec += 20;
	return &until;
}

#define LOCKER(name, call)                                                                         \
	PLUGIN long name(long number)                                                              \
	{                                                                                          \
		long result = call;                                                                \
                                                                                                   \
		NOT_A_TAIL_CALL();                                                                 \
		return result;                                                                     \
	}
LOCKER(mutex_lock, pthread_mutex_lock(&box_mutex[number]))
LOCKER(mutex_trylock, pthread_mutex_trylock(&box_mutex[number]))
LOCKER(mutex_timedlock, pthread_mutex_timedlock(&box_mutex[number], soon(CLOCK_REALTIME)))
LOCKER(mutex_clocklock,
	pthread_mutex_clocklock(&box_mutex[number], CLOCK_MONOTONIC, soon(CLOCK_MONOTONIC)))
LOCKER(mutex_unlock, pthread_mutex_unlock(&box_mutex[number]))
LOCKER(rwlock_rdlock, pthread_rwlock_rdlock(&box_rwlock[number]))
LOCKER(rwlock_tryrdlock, pthread_rwlock_tryrdlock(&box_rwlock[number]))
LOCKER(rwlock_timedrdlock, pthread_rwlock_timedrdlock(&box_rwlock[number], soon(CLOCK_REALTIME)))
LOCKER(rwlock_clockrdlock, pthread_rwlock_clockrdlock(
	&box_rwlock[number], CLOCK_MONOTONIC, soon(CLOCK_MONOTONIC)))
LOCKER(rwlock_wrlock, pthread_rwlock_wrlock(&box_rwlock[number]))
LOCKER(rwlock_trywrlock, pthread_rwlock_trywrlock(&box_rwlock[number]))
LOCKER(rwlock_timedwrlock, pthread_rwlock_timedwrlock(&box_rwlock[number], soon(CLOCK_REALTIME)))
LOCKER(rwlock_clockwrlock, pthread_rwlock_clockwrlock(
	&box_rwlock[number], CLOCK_MONOTONIC, soon(CLOCK_MONOTONIC)))
LOCKER(rwlock_unlock, pthread_rwlock_unlock(&box_rwlock[number]))
LOCKER(mtx_lock_it, mtx_lock(&box_mtx[number]))
LOCKER(mtx_trylock_it, mtx_trylock(&box_mtx[number]))
LOCKER(mtx_timedlock_it, mtx_timedlock(&box_mtx[number], soon(CLOCK_REALTIME)))
LOCKER(mtx_unlock_it, mtx_unlock(&box_mtx[number]))
LOCKER(mutex_of_heap, pthread_mutex_lock(box_heap_mutex) + number)
LOCKER(mutex_of_image, pthread_mutex_lock(&own) + number)

PLUGIN long mutex_of_block(long unused)
{
	pthread_mutex_t *mutex = malloc(sizeof(*mutex));
	long result;

	(void)unused;
	pthread_mutex_init(mutex, NULL);
	result = pthread_mutex_lock(mutex);
	forget(mutex);
	return result;
}

PLUGIN long mutex_of_stack(long unused)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	long result = pthread_mutex_lock(&mutex);

	(void)unused;
	forget(&mutex);
	return result;
}

PLUGIN long lock_and_unlock(long times)
{
	long well = 0;

	for (long i = 0; i < times; i++) {
		well += !pthread_mutex_lock(&box_mutex[0]) && !pthread_mutex_unlock(&box_mutex[0]);
		well += !pthread_rwlock_rdlock(&box_rwlock[0]) &&
			!pthread_rwlock_rdlock(&box_rwlock[0]) &&
			!pthread_rwlock_unlock(&box_rwlock[0]) &&
			!pthread_rwlock_unlock(&box_rwlock[0]);
		well += !pthread_rwlock_wrlock(&box_rwlock[0]) &&
			!pthread_rwlock_unlock(&box_rwlock[0]);
		well += !mtx_lock(&box_mtx[0]) && !mtx_unlock(&box_mtx[0]);
	}
	return well;
}

/* A recursive mutex of the box's: locked three times, unlocked so many times. */
PLUGIN long lock_recursive(long unlocked)
{
	pthread_mutexattr_t recursive;

	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&box_mutex[20], &recursive);
	for (int i = 0; i < 3; i++)
		pthread_mutex_lock(&box_mutex[20]);
	for (long i = 0; i < unlocked; i++)
		pthread_mutex_unlock(&box_mutex[20]);
	return 0;
}

static void *run_lock(void *number)
{
	pthread_mutex_lock(&box_mutex[(long)number]);
	NOT_A_TAIL_CALL();
	return NULL;
}

PLUGIN long lock_in_thread(long number)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_lock, (void *)number) != 0)
		return -1;
	return pthread_join(thread, NULL);
}

/* Again and again: each time the thread that locked it is over before it is unlocked. */
PLUGIN long hand_over(long times)
{
	long well = 0;

	for (long i = 0; i < times; i++)
		well += !lock_in_thread(16) && !pthread_mutex_unlock(&box_mutex[16]);
	return well;
}

static void *run_unlock(void *number)
{
	pthread_mutex_unlock(&box_mutex[(long)number]);
	NOT_A_TAIL_CALL();
	return NULL;
}

/* Again and again, each time unlocked by another thread: more often than there is room. */
PLUGIN long unlock_in_thread(long times)
{
	pthread_t thread;
	long well = 0;

	for (long i = 0; i < times; i++) {
		pthread_mutex_lock(&box_mutex[i % 16]);
		if (pthread_create(&thread, NULL, run_unlock, (void *)(i % 16)) != 0)
			return -1;
		well += !pthread_join(thread, NULL);
	}
	return well;
}

/* What fails locks nothing. */
PLUGIN long lock_in_vain(long number)
{
	struct timespec past = { 0, 0 };

	if (pthread_mutex_trylock(&box_mutex[number]) != EBUSY)
		return 1;
	if (pthread_mutex_timedlock(&box_mutex[number], &past) != ETIMEDOUT)
		return 2;
	return mtx_trylock((mtx_t *)&box_mutex[number]) == thrd_busy ? 0 : 3;
}

PLUGIN long wait_for_condition(long number)
{
	static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 0, 0 };

	pthread_mutex_lock(&box_mutex[number]);
	return pthread_cond_timedwait(&condition, &box_mutex[number], &past) == ETIMEDOUT;
}

/* --- files: that of the environment's LOCKED ---------------------------- */

static int file_open(void)
{
	return open(getenv("LOCKED"), O_RDWR | O_CLOEXEC);
}

PLUGIN long file_flock(long operation)
{
	int fd = file_open();
	long result = flock(fd, (int)operation);

	return result ? -errno : fd;
}

PLUGIN long file_unlock(long fd)
{
	return flock((int)fd, LOCK_UN);
}

PLUGIN long file_lockf(long size)
{
	int fd = file_open();
	long result = lockf(fd, F_TLOCK, size);

	return result ? -errno : fd;
}

PLUGIN long file_lockf64(long size)
{
	int fd = file_open();
	long result = lockf64(fd, F_LOCK, size);

	return result ? -errno : fd;
}

PLUGIN long file_lockf_parts(long unused)
{
	int fd = file_open();

	(void)unused;
	for (off_t at = 0; at < 300; at += 100) {
		lseek(fd, at, SEEK_SET);
		if (lockf(fd, F_LOCK, 50) != 0)
			return -errno;
	}
	return fd;
}

PLUGIN long file_fcntl(long command)
{
	struct flock lock = { .l_type = F_RDLCK, .l_start = 10, .l_len = 10 };
	int fd = file_open();

	return fcntl(fd, (int)command, &lock) != 0 ? -errno : fd;
}

/* One descriptor's close ends the locks of all. */
PLUGIN long file_fcntl_closed(long command)
{
	long fd = file_fcntl(command);

	close(file_open());
	return fd;
}

PLUGIN long file_lockf_undone(long size)
{
	int fd = file_open();

	if (lockf(fd, F_LOCK, size) != 0 || lockf(fd, F_ULOCK, size) != 0)
		return -errno;
	return fd;
}

PLUGIN long file_close(long fd)
{
	return close((int)fd);
}
