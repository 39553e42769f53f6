/* SPDX-License-Identifier: MIT */
/* Running the host as a child and ending as it ended. */
#ifndef RELIB_CHILD_H
#define RELIB_CHILD_H

#include "elf/error.h"

/* What is done meanwhile, about once a second; a NULL look: nothing. */
struct child_watch {
	void (*look)(void *data);
	void *data;
	int output; /* the descriptor that becomes its standard output, 0: ours */
};

/*
 * Runs @path and waits for its end, watching it with @watch.  Meanwhile SIGINT and SIGQUIT, which a
 * terminal sends to both, are the child's affair, and SIGTERM, SIGHUP, SIGUSR1
 * and SIGUSR2 are passed on to it.  The child has the signal handling and mask
 * that this process had.
 *
 * Puts what waitpid() says into *@wait_status.  Returns -1 and @error with
 * status 125, 126 or 127 when it could not be started.
 */
int child_run(const char *path, char **argv, char **environment, const struct child_watch *watch,
	int *wait_status, struct error *error);

/* For a look: sends a signal to the child, if it has not ended. */
void child_signal(int signal_number);

/* The exit status of a shell: the child's own, or 128 and the signal. */
int child_exit_status(int wait_status);

#endif
