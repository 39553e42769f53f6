/* SPDX-License-Identifier: MIT */
/*
 * timed PLUGIN.so WORD...: a host that does one word after the other.
 *
 *	open | close
 *	FUNCTION=NUMBER		long FUNCTION(long) of the plugin
 *	block=SIGNAL | unblock=SIGNAL | own=SIGNAL (a handler) | default=SIGNAL
 *	own_alarm=MS | own_timer=MS	the host's own, by SIGALRM and SIGUSR2
 *	work=MS			goes on, on the processor, and says "worked"
 *	seen			waits for the host's own handler to be called
 *	thread=FUNCTION		calls it in a thread that lives on
 *	signal=SIGNAL		to that thread, whose handler runs on its alternate stack
 *	end			of that thread
 *	fork			a child that says how it ends
 *	stack			says whether there is an alternate stack
 *	host_fork		registers the plugin's handler of fork
 *	delete=ID
 */
#include "host.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static void *handle;
static volatile sig_atomic_t seen;
static sem_t done, end;
static pthread_t thread;

static void on_signal(int number)
{
	seen = number;
}

NOINLINE static long call(const char *function, long number)
{
	long result = ((long (*)(long))plugin_symbol(handle, function))(number);

	NOT_A_TAIL_CALL();
	return result;
}

static void *thread_run(void *function)
{
	call(function, 0);
	scrub_stack();
	sem_post(&done);
	while (sem_wait(&end))
		;
	return NULL;
}

static void do_open(const char *path)
{
	handle = plugin_open(path);
}

static void do_close(void)
{
	if (!plugin_close(handle))
		die("the plugin stays");
}

static void do_thread(const char *function)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s", function);
	if (pthread_create(&thread, NULL, thread_run, name))
		die("pthread_create");
	while (sem_wait(&done))
		;
}

static void on_stack(int number)
{
	volatile char area[8192];

	for (size_t i = 0; i < sizeof(area); i++)
		area[i] = 1;
	seen = number;
}

static void do_signal(int number)
{
	struct sigaction action = {.sa_handler = on_stack, .sa_flags = SA_ONSTACK};

	sigaction(number, &action, NULL);
	pthread_kill(thread, number);
	while (!seen)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	dprintf(1, "signalled\n");
}

static void do_own(int number, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(number, &action, NULL);
}

static void do_mask(int how, int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(how, &set, NULL);
}

static void do_work(long milliseconds)
{
	struct timespec from, now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 <
		milliseconds);
	dprintf(1, "worked\n");
}

static void do_timer(long milliseconds)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	struct itimerspec times = {{0, 0}, {0, milliseconds * 1000000}};
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &times, NULL))
		die("timer_create");
}

static void do_fork(void)
{
	pid_t child = fork();
	int status = 0;

	if (!child)
		_exit(7);
	waitpid(child, &status, 0);
	dprintf(1, "child %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

static void do_stack(void)
{
	stack_t now;

	sigaltstack(NULL, &now);
	dprintf(1, "%s\n", now.ss_flags & SS_DISABLE ? "no stack" : "a stack");
}

static void obey(const char *path, const char *word)
{
	size_t length = strcspn(word, "=");
	const char *text = word[length] ? word + length + 1 : "";
	long number = atol(text);
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)length, word);
#define IS(wanted) (!strcmp(name, wanted))
	if (IS("open"))
		do_open(path);
	else if (IS("close"))
		do_close();
	else if (IS("block"))
		do_mask(SIG_BLOCK, (int)number);
	else if (IS("unblock"))
		do_mask(SIG_UNBLOCK, (int)number);
	else if (IS("own"))
		do_own((int)number, on_signal);
	else if (IS("default"))
		do_own((int)number, SIG_DFL);
	else if (IS("own_alarm"))
		setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, number * 1000}}, NULL);
	else if (IS("own_timer"))
		do_timer(number);
	else if (IS("work"))
		do_work(number);
	else if (IS("seen"))
		while (!seen)
			nanosleep(&(struct timespec){0, 1000000}, NULL);
	else if (IS("thread"))
		do_thread(text);
	else if (IS("signal"))
		do_signal((int)number);
	else if (IS("end"))
		sem_post(&end), pthread_join(thread, NULL);
	else if (IS("fork"))
		do_fork();
	else if (IS("stack"))
		do_stack();
	else if (IS("host_fork"))
		pthread_atfork(NULL, NULL, (void (*)(void))plugin_symbol(handle, "on_fork"));
	else if (IS("delete"))
		timer_delete((timer_t)number);
	else if (call(name, number) < 0)
		die("%s failed", name);
}

int main(int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		obey(argv[1], argv[i]);
		scrub_stack();
	}
	return 0;
}
