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

#define NEXT_FUNCTIONS(X) \
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

struct next_functions {
#define NEXT_MEMBER(type, name, symbol, parameters) type(*name) parameters;
	NEXT_FUNCTIONS(NEXT_MEMBER)
#undef NEXT_MEMBER
};

/* NULL members: nobody behind us has that function. */
extern struct next_functions next;

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
