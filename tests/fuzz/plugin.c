/* SPDX-License-Identifier: MIT */
/* A plugin with something in every table that relib check reads. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

__asm__(".data\n.globl only_one\n.type only_one,@gnu_unique_object\n"
	"only_one: .long 1\n.size only_one,4\n.text\n");

extern int only_one;
extern int host_calls(void);
__attribute__((weak)) extern int host_may(void);
__attribute__((visibility("default"))) __thread int of_thread;

__attribute__((visibility("default"))) int *plugin_main(void);

static void *work(void *argument)
{
	return argument;
}

__attribute__((constructor)) static void plugin_begin(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, work, NULL) == 0)
		pthread_detach(thread);
}

__attribute__((destructor)) static void plugin_end(void)
{
	printf("%d\n", of_thread);
}

int *plugin_main(void)
{
	atexit(plugin_end);
	return host_may && host_may() ? NULL : &only_one + host_calls();
}
