/* SPDX-License-Identifier: MIT */
/*
 * Stopping the world: every other thread of the process stands still, its
 * registers are known, and a function looks at memory meanwhile.
 */
#ifndef RELIB_WORLD_H
#define RELIB_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shim/arch.h"

/* As struct user_regs_struct on x86-64; other processors use fewer. */
#define WORLD_REGISTERS 27

struct world_thread {
	pid_t tid;
	uintptr_t sp; /* stack pointer; memory below it (less the red zone) is dead */
	uintptr_t tp; /* thread pointer: address of its struct pthread */
	uintptr_t registers[WORLD_REGISTERS];
	unsigned int register_count;
	const unsigned char *vectors; /* XSAVE area or NULL */
	size_t vectors_size;	      /* bytes */
};

struct world {
	const struct world_thread *threads; /* the calling thread first */
	size_t thread_count;
	uintptr_t own_start, own_end; /* memory of world_stop itself: nothing refers */
};

enum world_method { WORLD_NONE, WORLD_PTRACE, WORLD_SIGNAL };

struct world_result {
	enum world_method method; /* how the world was stopped */
	int error;		  /* errno of the failure when method is WORLD_NONE */
	const char *why;	  /* a static text for people when method is WORLD_NONE */
	uint64_t stopped_ns;	  /* how long the others stood still */
	size_t thread_count;
};

/* The state of the calling thread where it entered relib.  Filled by world_caller_here. */
struct world_caller {
	uintptr_t sp;	    /* the stack above it is alive */
	uintptr_t saved[8]; /* callee-saved registers at entry */
	unsigned int saved_count;
	uintptr_t pc; /* where it was interrupted; 0: the word below sp says */
};

/*
 * Notes the state of the function that uses it, best as its first statement.
 * Alive is the frame of that function and all of the stack above it, dead is
 * what the functions it calls afterwards put below; so the same function must
 * still be running when world_stop is called.  The frame counts as alive
 * because the compiler keeps its caller's registers there: they are forced
 * into it, and what the registers hold here is in saved besides.  Locals of the
 * function are therefore references too: one that holds a module's address
 * keeps what it points at.  A macro, as an inlined function has no frame.
 */
#define world_caller_here(caller)                                                                  \
	do {                                                                                       \
		struct world_caller *const caller_here_ = (caller);                                \
                                                                                                   \
		arch_caller_here(caller_here_->sp, caller_here_->saved);                           \
		caller_here_->saved_count = ARCH_CALLER_SAVED;                                     \
		caller_here_->pc = arch_here();                                                    \
	} while (0)

/*
 * Calls look(world, data) once while no other thread runs, then lets them go.
 *
 * look runs either in the calling thread or in a helper process that shares
 * all memory.  It may read everything and write the shim's own memory; it must
 * take no lock, allocate nothing and call nothing of the host's; it should use
 * raw system calls only.  A fault inside look is caught: the world goes on and
 * the call fails with EFAULT.
 *
 * Tries ptrace first (a helper made with clone), then a signal.  Returns true
 * when look ran to its end.  Keeps errno, starts no lasting thread, leaves no
 * child behind.  One call at a time in a process: the caller serialises.
 * All signals of the calling thread are blocked meanwhile.
 *
 * What the host can notice.  System calls that were waiting go on waiting.
 * With ptrace this holds for all that Linux restarts after SIGSTOP and SIGCONT
 * and for epoll_wait, sigtimedwait, semop, accept and recv with a timeout; a
 * timeout of these last begins anew.  With the signal it holds for what
 * SA_RESTART restarts; poll, select, epoll_wait, nanosleep, sigtimedwait,
 * semop and msgrcv return EINTR (see signal(7)).
 */
bool world_stop(const struct world_caller *caller, void (*look)(const struct world *, void *),
	void *data, struct world_result *result);

#endif
