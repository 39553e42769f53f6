/* SPDX-License-Identifier: MIT */
/*
 * A host as people write them: it loads a plugin, uses it and unloads it, so
 * many times.  Nothing in it knows of relib.
 *
 *	cc -g -O2 -o host host.c
 *	relib run ./host 10 -- ./leaky.so
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[1]) : 0;

	for (int i = 0; i < times; i++) {
		void *plugin = dlopen(argv[2], RTLD_NOW);
		int (*start)(int, char **);

		if (!plugin) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		*(void **)&start = dlsym(plugin, "plugin_main");
		if (start)
			start(argc - 2, argv + 2);
		dlclose(plugin);
	}
	return 0;
}
