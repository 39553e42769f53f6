/* SPDX-License-Identifier: MIT */
/* A plugin that leaves timers, alternate stacks and handlers of fork and exit. */
#include "plugin.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

static void on_signal(int number)
{
	(void)number;
}

/* The plugin's handler, as far as the host asks for one. */
PLUGIN long handle(long number)
{
	struct sigaction action = {.sa_handler = on_signal};
	int result = sigaction((int)number, &action, NULL);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long handle_by_signal(long number)
{
	void *result = (void *)signal((int)number, on_signal);

	NOT_A_TAIL_CALL();
	return result == (void *)SIG_ERR;
}

PLUGIN long handle_default(long number)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	int result = sigaction((int)number, &action, NULL);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long handle_once(long number)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	int result = sigaction((int)number, &action, NULL);

	NOT_A_TAIL_CALL();
	return result;
}

static timer_t timer;

static long timer_start(struct sigevent *event, long milliseconds)
{
	struct itimerspec times = {
		{0, 1000000}, {milliseconds / 1000, milliseconds % 1000 * 1000000}};

	if (timer_create(CLOCK_MONOTONIC, event, &timer))
		return -1;
	return milliseconds ? timer_settime(timer, 0, &times, NULL) : 0;
}

static int signal_asked = SIGALRM;

PLUGIN long timer_signal_is(long number)
{
	signal_asked = (int)number;
	return 0;
}

PLUGIN long timer_by_signal(long milliseconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal_asked};

	return timer_start(&event, milliseconds);
}

PLUGIN long timer_by_default(long milliseconds)
{
	return timer_start(NULL, milliseconds);
}

PLUGIN long timer_by_nothing(long milliseconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};

	return timer_start(&event, milliseconds);
}

PLUGIN long timer_by_thread_id(long milliseconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal_asked};

	event._sigev_un._tid = (int)syscall(SYS_gettid);
	return timer_start(&event, milliseconds);
}

static void on_tick(union sigval value)
{
	(void)value;
}

PLUGIN long timer_by_thread(long milliseconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD};

	event.sigev_notify_function = on_tick;
	return timer_start(&event, milliseconds);
}

PLUGIN long timer_end(long unused)
{
	int result = timer_delete(timer);

	NOT_A_TAIL_CALL();
	return unused + result;
}

PLUGIN long timer_end_unseen(long unused)
{
	return unused + syscall(SYS_timer_delete, (int)(long)timer);
}

PLUGIN long timer_id(long unused)
{
	return unused + (long)timer;
}

PLUGIN long set_alarm(long seconds)
{
	alarm((unsigned int)seconds);
	NOT_A_TAIL_CALL();
	return 0;
}

PLUGIN long set_ualarm(long microseconds)
{
	ualarm((useconds_t)microseconds, 0);
	NOT_A_TAIL_CALL();
	return 0;
}

static long set_interval(int which, long milliseconds)
{
	struct itimerval times = {{0, 1000}, {milliseconds / 1000, milliseconds % 1000 * 1000}};

	return setitimer(which, &times, NULL);
}

PLUGIN long set_real(long milliseconds)
{
	return set_interval(ITIMER_REAL, milliseconds);
}

PLUGIN long set_virtual(long milliseconds)
{
	return set_interval(ITIMER_VIRTUAL, milliseconds);
}

PLUGIN long set_prof(long milliseconds)
{
	return set_interval(ITIMER_PROF, milliseconds);
}

static char image_stack[65536];

static long stack_set(void *memory)
{
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(image_stack)};
	int result = sigaltstack(&stack, NULL);

	NOT_A_TAIL_CALL();
	return result;
}

PLUGIN long stack_in_image(long unused)
{
	return unused + stack_set(image_stack);
}

PLUGIN long stack_in_heap(long unused)
{
	return unused + stack_set(malloc(sizeof(image_stack)));
}

PLUGIN long stack_end(long unused)
{
	stack_t stack = {.ss_flags = SS_DISABLE};
	int result = sigaltstack(&stack, NULL);

	NOT_A_TAIL_CALL();
	return unused + result;
}

static void *stack_thread(void *unused)
{
	return (void *)stack_in_heap((long)unused);
}

PLUGIN long stack_of_thread(long unused)
{
	pthread_t thread;

	pthread_create(&thread, NULL, stack_thread, NULL);
	pthread_join(thread, NULL);
	return unused;
}

static int forks;

PLUGIN void on_fork(void)
{
	forks++;
}

PLUGIN long set_fork(long unused)
{
	int result = pthread_atfork(on_fork, on_fork, on_fork);

	NOT_A_TAIL_CALL();
	return unused + result;
}

extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *);

PLUGIN long set_fork_of_nobody(long unused)
{
	int result = __register_atfork(on_fork, NULL, on_fork, NULL);

	NOT_A_TAIL_CALL();
	return unused + result;
}

PLUGIN long count_forks(long unused)
{
	return unused + forks;
}

static void on_exit_too(void)
{
}

PLUGIN long set_atexit(long unused)
{
	int result = atexit(on_exit_too);

	NOT_A_TAIL_CALL();
	return unused + result;
}

PLUGIN long set_log(long unused)
{
	char *ident = malloc(32);

	strcpy(ident, "timers-plugin");
	openlog(ident, LOG_NDELAY, LOG_USER);
	NOT_A_TAIL_CALL();
	return unused;
}

PLUGIN long end_log(long unused)
{
	closelog();
	NOT_A_TAIL_CALL();
	return unused;
}

PLUGIN long set_buffer(long unused)
{
	int result = setvbuf(stdout, malloc(4096), _IOFBF, 4096);

	NOT_A_TAIL_CALL();
	return unused + result;
}

PLUGIN long end_buffer(long unused)
{
	setbuf(stdout, NULL);
	NOT_A_TAIL_CALL();
	return unused;
}
