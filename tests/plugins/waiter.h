/* SPDX-License-Identifier: MIT */
/*
 * What waiter.c, a host, gives its plugins.  A slot is a place where one thread
 * can be held: it says that it has arrived, and goes on when it is released.
 */
#ifndef TESTS_WAITER_H
#define TESTS_WAITER_H

#include <pthread.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A word for the host's log. */
void host_note(const char *word);
/* Holds the calling thread; a cancellation point. */
void host_hold(long slot);
/* Waits until a thread is held there. */
void host_arrived(long slot);
/* The thread of a slot, for the host's "join" and "cancel". */
void host_thread(long slot, pthread_t thread);
/* The handle that the host got for a name. */
void *host_handle(const char *name);
/* The host calls a function, or closes a plugin, in a frame of its own. */
long host_through(long (*function)(long), long number);
int host_close(const char *name);
/* Leaves by longjmp to where the host called from. */
void host_jump(void);
/* Of catcher.cc: calls, and returns -5 for a C++ exception. */
long host_catch(long (*function)(long), long number) __attribute__((weak));

#ifdef __cplusplus
}
#endif

#endif
