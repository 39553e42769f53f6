/* SPDX-License-Identifier: MIT */
/*
 * altstack SPINNER.so: a thread is in the plugin, and a signal's handler on an
 * alternate stack interrupts it there; meanwhile the plugin is closed.
 */
#include "host.h"

#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static sem_t inside, interrupted, resume;
static volatile int stop;
static int (*spin)(volatile int *stop, sem_t *inside);

static void handle(int number)
{
	sem_post(&interrupted);
	while (sem_wait(&resume) != 0)
		;
}

static void *worker(void *unused)
{
	stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};

	sigaltstack(&stack, NULL);
	verdict(spin(&stop, &inside) == 5, "the call into the plugin comes back");
	return NULL;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handle, .sa_flags = SA_ONSTACK};
	uintptr_t code;
	pthread_t thread;
	void *plugin, *other;

	watchdog(60);
	if (argc < 3 || !(plugin = dlopen(argv[1], RTLD_NOW)))
		die("%s", argc < 3 ? "usage" : dlerror());
	*(void **)&spin = dlsym(plugin, "spin");
	code = (uintptr_t)spin;
	sigaction(SIGUSR1, &action, NULL);
	sem_init(&inside, 0, 0);
	sem_init(&interrupted, 0, 0);
	sem_init(&resume, 0, 0);
	pthread_create(&thread, NULL, worker, NULL);
	sem_wait(&inside);
	pthread_kill(thread, SIGUSR1);
	sem_wait(&interrupted);
	verdict(dlclose(plugin) == 0 && address_is_loaded(code), "it waits for the thread");
	stop = 1;
	sem_post(&resume);
	pthread_join(thread, NULL);
	/* a handler is no place to unload in: the next occasion is */
	other = dlopen(argv[2], RTLD_NOW);
	verdict(other && dlclose(other) == 0, "another plugin comes and goes");
	verdict(!address_is_loaded(code), "it is gone");
	return 0;
}
