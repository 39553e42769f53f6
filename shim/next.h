/* SPDX-License-Identifier: MIT */
/*
 * The functions that the shim interposes, and the next ones in line that do
 * the real work: the C library's, or those of the allocator that the host
 * brought (jemalloc, tcmalloc).
 *
 * NEXT_FUNCTIONS is the one list of them: the pointers, their resolver and the
 * export test are made from it.  X(return type, name, symbol, parameters)
 */
#ifndef RELIB_NEXT_H
#define RELIB_NEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RELIB_EXPORT __attribute__((visibility("default")))

#define NEXT_FIRST(X) \
	X(void *, malloc, "malloc", (size_t)) \
	X(void *, calloc, "calloc", (size_t, size_t)) \
	X(void *, realloc, "realloc", (void *, size_t)) \
	X(void *, reallocarray, "reallocarray", (void *, size_t, size_t)) \
	X(void, free, "free", (void *)) \
	X(void, free_sized, "free_sized", (void *, size_t)) \
	X(void, free_aligned_sized, "free_aligned_sized", (void *, size_t, size_t)) \
	X(int, posix_memalign, "posix_memalign", (void **, size_t, size_t)) \
	X(void *, aligned_alloc, "aligned_alloc", (size_t, size_t)) \
	X(void *, memalign, "memalign", (size_t, size_t)) \
	X(void *, valloc, "valloc", (size_t)) \
	X(void *, pvalloc, "pvalloc", (size_t)) \
	X(size_t, malloc_usable_size, "malloc_usable_size", (void *)) \
	X(void *, new, "_Znwm", (size_t)) \
	X(void *, new_array, "_Znam", (size_t)) \
	X(void *, new_nothrow, "_ZnwmRKSt9nothrow_t", (size_t, const void *)) \
	X(void *, new_array_nothrow, "_ZnamRKSt9nothrow_t", (size_t, const void *)) \
	X(void *, new_aligned, "_ZnwmSt11align_val_t", (size_t, size_t)) \
	X(void *, new_array_aligned, "_ZnamSt11align_val_t", (size_t, size_t)) \
	X(void *, new_aligned_nothrow, "_ZnwmSt11align_val_tRKSt9nothrow_t", \
	  (size_t, size_t, const void *)) \
	X(void *, new_array_aligned_nothrow, "_ZnamSt11align_val_tRKSt9nothrow_t", \
	  (size_t, size_t, const void *)) \
	X(void, delete, "_ZdlPv", (void *)) \
	X(void, delete_array, "_ZdaPv", (void *)) \
	X(void, delete_sized, "_ZdlPvm", (void *, size_t)) \
	X(void, delete_array_sized, "_ZdaPvm", (void *, size_t)) \
	X(void, delete_nothrow, "_ZdlPvRKSt9nothrow_t", (void *, const void *)) \
	X(void, delete_array_nothrow, "_ZdaPvRKSt9nothrow_t", (void *, const void *)) \
	X(void, delete_aligned, "_ZdlPvSt11align_val_t", (void *, size_t)) \
	X(void, delete_array_aligned, "_ZdaPvSt11align_val_t", (void *, size_t)) \
	X(void, delete_sized_aligned, "_ZdlPvmSt11align_val_t", (void *, size_t, size_t)) \
	X(void, delete_array_sized_aligned, "_ZdaPvmSt11align_val_t", (void *, size_t, size_t)) \
	X(void, delete_aligned_nothrow, "_ZdlPvSt11align_val_tRKSt9nothrow_t", \
	  (void *, size_t, const void *)) \
	X(void, delete_array_aligned_nothrow, "_ZdaPvSt11align_val_tRKSt9nothrow_t", \
	  (void *, size_t, const void *)) \
	X(void *, dlopen, "dlopen", (const char *, int)) \
	X(void *, dlmopen, "dlmopen", (long, const char *, int)) \
	X(int, dlclose, "dlclose", (void *)) \
	X(void, finalize, "__cxa_finalize", (void *)) \
	X(char *, dlerror, "dlerror", (void)) \
	X(int, thread_atexit, "__cxa_thread_atexit_impl", (void (*)(void *), void *, void *)) \
	X(int, pthread_create, "pthread_create", \
	  (void *, const void *, void *(*)(void *), void *)) \
	X(int, thrd_create, "thrd_create", (void *, int (*)(void *), void *)) \
	X(int, clone, "clone", (int (*)(void *), void *, int, void *, ...)) \
	X(int, pthread_key_create, "pthread_key_create", (void *, void (*)(void *))) \
	X(int, pthread_key_delete, "pthread_key_delete", (unsigned int)) \
	X(int, tss_create, "tss_create", (void *, void (*)(void *))) \
	X(void, tss_delete, "tss_delete", (unsigned int)) \
	X(int, timer_create, "timer_create", (int, void *, void *)) \
	X(int, timer_delete, "timer_delete", (void *)) \
	X(int, on_exit, "on_exit", (void (*)(int, void *), void *)) \
	X(int, at_quick_exit, "__cxa_at_quick_exit", (void (*)(void *), void *)) \
	X(int, atexit, "__cxa_atexit", (void (*)(void *), void *, void *)) \
	X(int, setvbuf, "setvbuf", (void *, char *, int, size_t)) \
	X(void, setbuf, "setbuf", (void *, char *)) \
	X(void, setbuffer, "setbuffer", (void *, char *, size_t)) \
	X(void, openlog, "openlog", (const char *, int, int)) \
	X(void, closelog, "closelog", (void)) \
	X(int, setrlimit, "setrlimit", (int, const void *)) \
	X(int, setrlimit64, "setrlimit64", (int, const void *)) \
	X(int, prlimit, "prlimit", (int, int, const void *, void *)) \
	X(int, prlimit64, "prlimit64", (int, int, const void *, void *)) \
	X(int, sigaction, "sigaction", (int, const void *, void *)) \
	X(int, sigaction_old_name, "__sigaction", (int, const void *, void *)) \
	X(void *, signal, "signal", (int, void *)) \
	X(void *, bsd_signal, "bsd_signal", (int, void *)) \
	X(void *, ssignal, "ssignal", (int, void *)) \
	X(void *, sysv_signal, "sysv_signal", (int, void *)) \
	X(void *, sysv_signal_old_name, "__sysv_signal", (int, void *)) \
	X(void *, sigset, "sigset", (int, void *)) \
	X(int, sigignore, "sigignore", (int)) \
	X(int, siginterrupt, "siginterrupt", (int, int))

#define NEXT_DESCRIPTORS(X) \
	X(int, open, "open", (const char *, int, ...)) \
	X(int, open64, "open64", (const char *, int, ...)) \
	X(int, open_old_name, "__open", (const char *, int, ...)) \
	X(int, open64_old_name, "__open64", (const char *, int, ...)) \
	X(int, open_2, "__open_2", (const char *, int)) \
	X(int, open64_2, "__open64_2", (const char *, int)) \
	X(int, openat, "openat", (int, const char *, int, ...)) \
	X(int, openat64, "openat64", (int, const char *, int, ...)) \
	X(int, openat_2, "__openat_2", (int, const char *, int)) \
	X(int, openat64_2, "__openat64_2", (int, const char *, int)) \
	X(int, creat, "creat", (const char *, unsigned int)) \
	X(int, creat64, "creat64", (const char *, unsigned int)) \
	X(int, open_by_handle_at, "open_by_handle_at", (int, void *, int)) \
	X(int, posix_openpt, "posix_openpt", (int)) \
	X(int, getpt, "getpt", (void)) \
	X(int, openpty, "openpty", (int *, int *, char *, const void *, const void *)) \
	X(int, close, "close", (int)) \
	X(int, close_old_name, "__close", (int)) \
	X(int, close_range, "close_range", (unsigned int, unsigned int, int)) \
	X(void, closefrom, "closefrom", (int)) \
	X(int, dup, "dup", (int)) \
	X(int, dup2, "dup2", (int, int)) \
	X(int, dup2_old_name, "__dup2", (int, int)) \
	X(int, dup3, "dup3", (int, int, int)) \
	X(int, fcntl, "fcntl", (int, int, ...)) \
	X(int, fcntl64, "fcntl64", (int, int, ...)) \
	X(int, fcntl_old_name, "__fcntl", (int, int, ...)) \
	X(int, pipe, "pipe", (int *)) \
	X(int, pipe_old_name, "__pipe", (int *)) \
	X(int, pipe2, "pipe2", (int *, int)) \
	X(int, socket, "socket", (int, int, int)) \
	X(int, socketpair, "socketpair", (int, int, int, int *)) \
	X(int, accept, "accept", (int, void *, void *)) \
	X(int, accept4, "accept4", (int, void *, void *, int)) \
	X(long, recvmsg, "recvmsg", (int, void *, int)) \
	X(int, recvmmsg, "recvmmsg", (int, void *, unsigned int, int, void *)) \
	X(int, eventfd, "eventfd", (unsigned int, int)) \
	X(int, timerfd_create, "timerfd_create", (int, int)) \
	X(int, signalfd, "signalfd", (int, const void *, int)) \
	X(int, epoll_create, "epoll_create", (int)) \
	X(int, epoll_create1, "epoll_create1", (int)) \
	X(int, inotify_init, "inotify_init", (void)) \
	X(int, inotify_init1, "inotify_init1", (int)) \
	X(int, fanotify_init, "fanotify_init", (unsigned int, unsigned int)) \
	X(int, memfd_create, "memfd_create", (const char *, unsigned int)) \
	X(int, fsopen, "fsopen", (const char *, unsigned int)) \
	X(int, fsmount, "fsmount", (int, unsigned int, unsigned int)) \
	X(int, fspick, "fspick", (int, const char *, unsigned int)) \
	X(int, open_tree, "open_tree", (int, const char *, unsigned int)) \
	X(int, unshare, "unshare", (int)) \
	X(int, pidfd_open, "pidfd_open", (int, unsigned int)) \
	X(int, pidfd_getfd, "pidfd_getfd", (int, int, unsigned int)) \
	X(long, syscall, "syscall", (long, ...))

#define NEXT_STREAMS(X) \
	X(void *, fopen, "fopen", (const char *, const char *)) \
	X(void *, fopen64, "fopen64", (const char *, const char *)) \
	X(void *, fdopen, "fdopen", (int, const char *)) \
	X(void *, freopen, "freopen", (const char *, const char *, void *)) \
	X(void *, freopen64, "freopen64", (const char *, const char *, void *)) \
	X(void *, tmpfile, "tmpfile", (void)) \
	X(void *, tmpfile64, "tmpfile64", (void)) \
	X(void *, popen, "popen", (const char *, const char *)) \
	X(void *, fmemopen, "fmemopen", (void *, size_t, const char *)) \
	X(void *, open_memstream, "open_memstream", (char **, size_t *)) \
	X(void *, open_wmemstream, "open_wmemstream", (void *, size_t *)) \
	X(int, fclose, "fclose", (void *)) \
	X(int, pclose, "pclose", (void *)) \
	X(void *, opendir, "opendir", (const char *)) \
	X(void *, fdopendir, "fdopendir", (int)) \
	X(int, closedir, "closedir", (void *))

#define NEXT_NAMES(X) \
	X(int, mkstemp, "mkstemp", (char *)) \
	X(int, mkstemp64, "mkstemp64", (char *)) \
	X(int, mkostemp, "mkostemp", (char *, int)) \
	X(int, mkostemp64, "mkostemp64", (char *, int)) \
	X(int, mkstemps, "mkstemps", (char *, int)) \
	X(int, mkstemps64, "mkstemps64", (char *, int)) \
	X(int, mkostemps, "mkostemps", (char *, int, int)) \
	X(int, mkostemps64, "mkostemps64", (char *, int, int)) \
	X(char *, mkdtemp, "mkdtemp", (char *)) \
	X(int, unlink, "unlink", (const char *)) \
	X(int, unlinkat, "unlinkat", (int, const char *, int)) \
	X(int, remove, "remove", (const char *)) \
	X(int, rmdir, "rmdir", (const char *)) \
	X(int, shm_open, "shm_open", (const char *, int, unsigned int)) \
	X(int, shm_unlink, "shm_unlink", (const char *)) \
	X(void *, sem_open, "sem_open", (const char *, int, ...)) \
	X(int, sem_close, "sem_close", (void *)) \
	X(int, sem_unlink, "sem_unlink", (const char *)) \
	X(int, mq_open, "mq_open", (const char *, int, ...)) \
	X(int, mq_open_2, "__mq_open_2", (const char *, int)) \
	X(int, mq_close, "mq_close", (int)) \
	X(int, mq_unlink, "mq_unlink", (const char *)) \
	X(int, shmget, "shmget", (int, size_t, int)) \
	X(int, shmctl, "shmctl", (int, int, void *)) \
	X(int, semget, "semget", (int, int, int)) \
	X(int, semctl, "semctl", (int, int, int, ...)) \
	X(int, msgget, "msgget", (int, int)) \
	X(int, msgctl, "msgctl", (int, int, void *))

#define NEXT_MAPPINGS(X) \
	X(void *, mmap, "mmap", (void *, size_t, int, int, int, long)) \
	X(void *, mmap64, "mmap64", (void *, size_t, int, int, int, long)) \
	X(void *, mremap, "mremap", (void *, size_t, size_t, int, ...)) \
	X(int, munmap, "munmap", (void *, size_t)) \
	X(void *, shmat, "shmat", (int, const void *, int)) \
	X(int, shmdt, "shmdt", (const void *))

#define NEXT_PROCESS(X) \
	X(int, setitimer, "setitimer", (int, const void *, void *)) \
	X(unsigned int, alarm, "alarm", (unsigned int)) \
	X(unsigned int, ualarm, "ualarm", (unsigned int, unsigned int)) \
	X(int, sigaltstack, "sigaltstack", (const void *, void *)) \
	X(int, register_atfork, "__register_atfork", \
	  (void (*)(void), void (*)(void), void (*)(void), void *)) \
	X(int, setenv, "setenv", (const char *, const char *, int)) \
	X(int, unsetenv, "unsetenv", (const char *)) \
	X(int, putenv, "putenv", (char *)) \
	X(int, clearenv, "clearenv", (void)) \
	X(char *, setlocale, "setlocale", (int, const char *)) \
	X(unsigned int, umask, "umask", (unsigned int)) \
	X(int, chdir, "chdir", (const char *)) \
	X(int, fchdir, "fchdir", (int)) \
	X(int, fork, "fork", (void)) \
	X(int, vfork, "vfork", (void)) \
	X(int, vfork_old_name, "__vfork", (void)) \
	X(int, fork_bare, "_Fork", (void)) \
	X(int, forkpty, "forkpty", (int *, char *, const void *, const void *)) \
	X(int, posix_spawn, "posix_spawn", \
	  (int *, const char *, const void *, const void *, void *, void *)) \
	X(int, posix_spawnp, "posix_spawnp", \
	  (int *, const char *, const void *, const void *, void *, void *))

#define NEXT_LOCKS(X) \
	X(int, mutex_lock, "pthread_mutex_lock", (void *)) \
	X(int, mutex_trylock, "pthread_mutex_trylock", (void *)) \
	X(int, mutex_timedlock, "pthread_mutex_timedlock", (void *, const void *)) \
	X(int, mutex_clocklock, "pthread_mutex_clocklock", (void *, int, const void *)) \
	X(int, mutex_unlock, "pthread_mutex_unlock", (void *)) \
	X(int, rwlock_rdlock, "pthread_rwlock_rdlock", (void *)) \
	X(int, rwlock_tryrdlock, "pthread_rwlock_tryrdlock", (void *)) \
	X(int, rwlock_timedrdlock, "pthread_rwlock_timedrdlock", (void *, const void *)) \
	X(int, rwlock_clockrdlock, "pthread_rwlock_clockrdlock", (void *, int, const void *)) \
	X(int, rwlock_wrlock, "pthread_rwlock_wrlock", (void *)) \
	X(int, rwlock_trywrlock, "pthread_rwlock_trywrlock", (void *)) \
	X(int, rwlock_timedwrlock, "pthread_rwlock_timedwrlock", (void *, const void *)) \
	X(int, rwlock_clockwrlock, "pthread_rwlock_clockwrlock", (void *, int, const void *)) \
	X(int, rwlock_unlock, "pthread_rwlock_unlock", (void *)) \
	X(int, mtx_lock, "mtx_lock", (void *)) \
	X(int, mtx_trylock, "mtx_trylock", (void *)) \
	X(int, mtx_timedlock, "mtx_timedlock", (void *, const void *)) \
	X(int, mtx_unlock, "mtx_unlock", (void *)) \
	X(int, flock, "flock", (int, int)) \
	X(int, lockf, "lockf", (int, int, long)) \
	X(int, lockf64, "lockf64", (int, int, long))

#define NEXT_FUNCTIONS(X) \
	NEXT_FIRST(X) NEXT_DESCRIPTORS(X) NEXT_STREAMS(X) NEXT_NAMES(X) NEXT_MAPPINGS(X) \
	NEXT_PROCESS(X) NEXT_LOCKS(X)

struct next_functions {
#define NEXT_MEMBER(type, name, symbol, parameters) type(*name) parameters;
	NEXT_FUNCTIONS(NEXT_MEMBER)
#undef NEXT_MEMBER
};

/* NULL members: nobody behind us has that function. */
extern struct next_functions next;
/* It takes a structure by value, for which there is no type here. */
extern void *next_fopencookie;

/*
 * Fills next, on the first call of any interposer, which may come before our
 * constructor.  While dlsym runs, and allocates, allocations are served from a
 * small static area (next_bootstrap) that is never freed.  Returns false for
 * the thread that is just resolving.
 */
bool next_resolve(void);
extern bool next_resolved;

static inline bool next_ready(void)
{
	return __builtin_expect(next_resolved, 1) || next_resolve();
}

/* 16-byte aligned memory of the static area; NULL when it is used up. */
void *next_bootstrap(size_t size, size_t alignment);
bool next_bootstrap_owns(const void *block);
/* Bytes from block to the end of what was handed out last: enough for a copy. */
size_t next_bootstrap_size(const void *block);

#endif
