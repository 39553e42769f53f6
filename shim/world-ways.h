/* SPDX-License-Identifier: MIT */
/*
 * What world.c and its two ways of stopping share.
 */
#ifndef RELIB_WORLD_WAYS_H
#define RELIB_WORLD_WAYS_H

#include "shim/world.h"

#define WORLD_WAY_PTRACE 1u
#define WORLD_WAY_SIGNAL 2u
#define WORLD_WAYS (WORLD_WAY_PTRACE | WORLD_WAY_SIGNAL)

/* How long threads may take to stop. */
#define WORLD_STOP_NS 1000000000ull

/* How long look may take in the helper before it is given up. */
#define WORLD_LOOK_NS 60000000000ull

/* What we know of one thread while it is being stopped. */
struct world_seat {
	pid_t tid;
	unsigned char state;	 /* enum world_seat_state */
	unsigned char by_signal; /* ptrace: this signal is to be delivered when it goes on */
	unsigned char trapped;	 /* ptrace: our own interruption, nothing else, stopped it */
};

enum world_seat_state {
	SEAT_NEW, /* asked to stop */
	SEAT_STOPPED,
	SEAT_GONE,	   /* has ended */
	SEAT_ENDED_LEADER, /* the first thread, ended before the others: never forgotten */
};

/*
 * One call of world_stop.  It lives with all its arrays in one mapping, which
 * the looker leaves out, and which a fork of another thread does not copy.
 */
struct world_request {
	/* the call */
	const struct world_caller *caller;
	void (*look)(const struct world *, void *);
	void *data;
	pid_t tgid, tid; /* of the calling thread */
	int tasks;	 /* from tasks_open */

	/* the room: guard page, this, seats, threads, vectors, stacks */
	uintptr_t room, room_end;
	struct world_seat *seats;
	size_t seat_count, capacity;
	struct world_thread *threads;
	unsigned char *vectors, *vectors_end;
	unsigned char *list; /* to read directories into */
	size_t list_size;
	unsigned char *fault_stack;
	size_t fault_stack_size;
	unsigned char *stack, *stack_end;

	/* the outcome */
	volatile bool looking; /* look has begun: no second try */
	volatile bool looked;  /* look ran to its end */
	volatile int error;
	const char *volatile why;
	volatile uint64_t stopped_ns;
	volatile size_t thread_count;

	/* ptrace */
	int helper; /* cleared by the kernel when it has ended */
	int go;
	size_t hint;
	bool found_new, ended_leader;
	uint64_t deadline;
};

uint64_t world_now(void);

/* Notes why it fails; the first reason stays.  Returns false. */
bool world_failed(struct world_request *request, int error, const char *why);

/* The seat of tid or NULL.  Quick when asked in the order they were made. */
struct world_seat *world_seat_of(struct world_request *request, pid_t tid);
struct world_seat *world_seat_add(struct world_request *request, pid_t tid);

/* Threads the kernel counts that are neither stopped nor known to have ended; < 0: -errno. */
long world_missing(const struct world_request *request);

/* Fills threads[0], runs look under a guard; threads 1 to thread_count - 1 are there. */
bool world_look(struct world_request *request, size_t thread_count);

/* Each true when look ran to its end. */
bool world_by_ptrace(struct world_request *request);
bool world_by_signal(struct world_request *request);

/* world_stop with only the ways in the mask: for the tests. */
bool world_stop_ways(unsigned int ways, const struct world_caller *caller,
	void (*look)(const struct world *, void *), void *data, struct world_result *result);

#endif
