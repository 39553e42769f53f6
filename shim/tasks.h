/* SPDX-License-Identifier: MIT */
/*
 * The threads of this process, as /proc tells them.  Raw system calls only.
 */
#ifndef RELIB_TASKS_H
#define RELIB_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct task_state {
	char state;		    /* 'R', 'S', ..., 'Z' for one that has ended */
	pid_t tracer;		    /* 0: nobody */
	int seccomp;		    /* 0, 1 strict, 2 filter */
	unsigned long long blocked; /* bit N-1: signal N */
};

/*
 * A descriptor of the task directory of this process, or -errno.  -EXDEV when
 * /proc counts in another PID namespace than we do, so that its numbers are
 * not ours.
 */
int tasks_open(void);

/*
 * How many threads the kernel counts, a thread that has ended and is not yet
 * forgotten included; -errno for a failure.
 */
long tasks_count(int directory);

/*
 * Calls each(data, tid) for all threads the directory names now.  One that
 * begins or ends meanwhile may be missed, and another with it: whoever needs
 * all of them compares with tasks_count.  buffer: 4 KiB or more, aligned for a
 * uint64_t.  Returns 0, or -errno, or what each returned when that is not 0.
 */
int tasks_each(int directory, void *buffer, size_t size, int (*each)(void *, pid_t), void *data);

/*
 * Reads a file of a thread in /proc ("comm"), at most size - 1 bytes, and ends it
 * by NUL.  Returns the length, or -errno when there is no such thread (any more)
 * or it cannot be read.
 */
long task_file_read(int directory, pid_t tid, const char *file, char *text, size_t size);

/* The thread's name, as of now; false: name is as it was. */
#define TASK_NAME_SIZE 16
bool task_name_read(int directory, pid_t tid, char name[TASK_NAME_SIZE]);

/* False when there is no such thread (any more) or /proc cannot be read. */
bool task_read(int directory, pid_t tid, struct task_state *to);

#endif
