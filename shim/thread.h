/* SPDX-License-Identifier: MIT */
/*
 * What relib keeps per thread.  The small part is thread-local; the rest is
 * mapped when the thread first acquires something for a module, and given
 * back when the thread ends.
 */
#ifndef RELIB_THREAD_H
#define RELIB_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct heap_cache;
struct session_counters;
struct callstacks;
struct open_site;
struct owned_thread;
struct local_destructor;
struct held_locks;

struct thread {
	struct heap_cache *cache;	   /* NULL: work on the shared lists */
	struct session_counters *counters; /* NULL: count in the places themselves */
	struct callstacks *stacks;	   /* remembered stacks; NULL: unwind each time */
	bool set_up;			   /* the three above were asked for */
	bool ending;			   /* torn down: ask no more */
	bool refused;			   /* the heap could not be entered: not out of memory */
	bool open_for_ever;		   /* its last dlopen was with RTLD_NODELETE */
	bool loading;			   /* a link map was made that is not in the table yet */
	uint32_t load;			   /* number of its last dlopen, over all threads */
	unsigned char closing;		   /* enum finalize_when, see finalize.h */
	unsigned int inside;		   /* depth of our own work: record nothing */
	uintptr_t open_slot;		   /* where the return address of the last dlopen stood */
	struct open_site *open_site;	   /* of its last dlopen, when nobody's yet; see opens.h */
	uintptr_t stack_low, stack_high;   /* readable stack, see stack-reader */
	struct owned_thread *owned;	   /* a module created it; NULL: the host */
	unsigned int rounds;		   /* of key destructors so far, where owned */
	bool last_round;		   /* it ends behind the key destructors that follow */
	struct local_destructor *locals;   /* its destructors in relib's name, the last first */
	struct local_destructor *covered;  /* those of locals that the host's came after */
	unsigned int running;		   /* depth of destructors that the C library called */
	int forker;			   /* its id before it forked */
	struct held_locks *locks;	   /* that it locked for modules; NULL: never one */
	bool vforked;			   /* a vfork child runs on its stack: not this process */
	bool own_descriptors;		   /* its descriptors are not the process's */
};

/* initial-exec: a dynamic TLS block would be allocated with the malloc that we interpose */
extern __thread struct thread thread_self __attribute__((tls_model("initial-exec")));

void thread_set_up(struct thread *thread);

/* The calling thread, with its cache and counters if it can have them. */
static inline struct thread *thread_here(void)
{
	struct thread *thread = &thread_self;

	if (__builtin_expect(!thread->set_up, 0))
		thread_set_up(thread);
	return thread;
}

/* The calling thread is owned, and begins: arranges that its end is learnt of. */
void thread_owned_begin(struct owned_thread *owned);

/* A key destructor of a module's came back: in the last round it may have been the last. */
void thread_key_done(unsigned int key);

/* Once, from the constructor. */
void thread_initialise(void);
/* In a forked child: the caller is the only thread. */
void thread_fork_child(void);

#endif
