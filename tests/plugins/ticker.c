/* SPDX-License-Identifier: MIT */
/* Gives its host a callback and a variable, and sets signal handlers.  PADDING makes it larger. */
#include "plugin.h"

#include <signal.h>

#ifdef PADDING
char ticker_padding[PADDING] = { 1 };
#endif

int ticker_count = 5;
static int last_signal;

NOINLINE void on_tick(int n)
{
	ticker_count += n;
	NOT_A_TAIL_CALL();
}

PLUGIN void *ticker_callback(void)
{
	return (void *)on_tick;
}

PLUGIN int *ticker_variable(void)
{
	return &ticker_count;
}

static void on_signal(int number)
{
	last_signal = number;
}

static void on_signal_too(int number)
{
	last_signal = -number;
}

PLUGIN void *ticker_handler(void)
{
	return (void *)on_signal;
}

PLUGIN void ticker_handle(int number, int too)
{
	struct sigaction action = { .sa_handler = too ? on_signal_too : on_signal };

	sigaction(number, &action, NULL);
}

/* By each of the other functions that set one. */
PLUGIN void ticker_handle_by(int number, void *(*set)(int, void *))
{
	set(number, (void *)on_signal);
}
