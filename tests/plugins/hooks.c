/* SPDX-License-Identifier: MIT */
/* A plugin that leaves hooks in the C library: each would be used after it went. */
#include "plugin.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/* Says what is called, for the test to read. */
static void say(const char *what)
{
	if (write(1, what, strlen(what)) < 0)
		abort();
}

static atomic_int ticks;

PLUGIN void on_tick(union sigval value)
{
	if (value.sival_int == 77)
		atomic_fetch_add(&ticks, 1);
}

/* number: microseconds between two calls; waits for the first. */
PLUGIN long set_timer(long number)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD};
	struct itimerspec times = {{0, number * 1000}, {0, 1000}};
	timer_t timer;

	event.sigev_notify_function = on_tick;
	event.sigev_value.sival_int = 77;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &times, NULL))
		return -1;
	while (!atomic_load(&ticks))
		nanosleep(&(struct timespec){0, 100000}, NULL);
	return 0;
}

/* One that the plugin deletes itself. */
PLUGIN long set_own_timer(long number)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD};
	timer_t timer;

	event.sigev_notify_function = on_tick;
	event.sigev_value.sival_int = (int)number;
	return timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_delete(timer) ? -1 : 0;
}

static char word[] = "plugin";

PLUGIN void on_end(int status, void *argument)
{
	char text[64];

	snprintf(text, sizeof(text), "on_exit %d %s\n", status, (char *)argument);
	say(text);
}

PLUGIN long set_on_exit(long number)
{
	return number + on_exit(on_end, word);
}

PLUGIN void on_quick(void)
{
	say("at_quick_exit plugin\n");
}

PLUGIN long set_quick_exit(long number)
{
	return number + at_quick_exit(on_quick);
}

PLUGIN void on_atexit(void)
{
	say("atexit plugin\n");
}

extern int __cxa_atexit(void (*function)(void *), void *argument, void *dso);

static void on_nobody(void *argument)
{
	say(argument);
}

PLUGIN long set_atexit_of_nobody(long number)
{
	return number + __cxa_atexit(on_nobody, "atexit of nobody\n", NULL);
}

static char string[] = "RELIB_HOOK=from the plugin";

PLUGIN long set_environ(long number)
{
	return number + putenv(string);
}

static char *array[] = {string, "PATH=/usr/bin:/bin", NULL};

PLUGIN long set_environ_array(long number)
{
	environ = array;
	return number;
}

static char buffer[256];

PLUGIN long set_stdout(long number)
{
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("one ");
	return number;
}

PLUGIN long set_stderr(long number)
{
	setbuffer(stderr, buffer, sizeof(buffer));
	fprintf(stderr, "one ");
	return number;
}

/* Reads the first character of several lines. */
PLUGIN long set_stdin(long number)
{
	setvbuf(stdin, buffer, _IOFBF, sizeof(buffer));
	return getchar() == 'f' && ungetc('F', stdin) == 'F' ? number : -1;
}

static char ident[] = "hooks-plugin";

PLUGIN long set_openlog(long number)
{
	openlog(ident, LOG_PERROR, LOG_USER);
	return number;
}

PLUGIN long set_openlog_closed(long number)
{
	openlog(ident, LOG_PERROR, LOG_USER);
	closelog();
	return number;
}
