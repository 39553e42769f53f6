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

#define WORLD_REGISTERS 27		/* as struct user_regs_struct on x86-64; others use fewer */

struct world_thread {
	pid_t tid;
	uintptr_t sp;			/* stack pointer; memory below it (less the red zone) is dead */
	uintptr_t tp;			/* thread pointer: address of its struct pthread */
	uintptr_t registers[WORLD_REGISTERS];
	unsigned int register_count;
	const unsigned char *vectors;	/* XSAVE area or NULL */
	size_t vectors_size;		/* bytes */
};

struct world {
	const struct world_thread *threads;	/* the calling thread first */
	size_t thread_count;
};

enum world_method { WORLD_NONE, WORLD_PTRACE, WORLD_SIGNAL };

struct world_result {
	enum world_method method;	/* how the world was stopped */
	int error;			/* errno of the failure when method is WORLD_NONE */
	const char *why;		/* a static text for people when method is WORLD_NONE */
	uint64_t stopped_ns;		/* how long the others stood still */
	size_t thread_count;
};

/* The state of the calling thread where it entered relib.  Filled by world_caller_here. */
struct world_caller {
	uintptr_t sp;			/* the stack above it is alive */
	uintptr_t saved[8];		/* callee-saved registers at entry */
	unsigned int saved_count;
};

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
 */
bool world_stop(const struct world_caller *caller, void (*look)(const struct world *, void *),
		void *data, struct world_result *result);

#endif
