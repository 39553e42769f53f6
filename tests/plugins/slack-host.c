/* SPDX-License-Identifier: MIT */
/* slack-host KEEPER LEAVER: the keeper lends the leaver a block, which has a pointer then. */
#include <dlfcn.h>
#include <stdio.h>

typedef void **lend_function(void);
typedef void take_function(void);
typedef void leave_function(void **);

int main(int argc, char **argv)
{
	void *keeper = argc == 3 ? dlopen(argv[1], RTLD_NOW) : NULL;
	void *leaver = keeper ? dlopen(argv[2], RTLD_NOW) : NULL;
	lend_function *lend;
	take_function *take;
	leave_function *leave;

	if (!leaver)
		return 1;
	lend = (lend_function *)dlsym(keeper, "slack_lend");
	take = (take_function *)dlsym(keeper, "slack_take");
	leave = (leave_function *)dlsym(leaver, "slack_leave");
	for (int i = 0; i < 10; i++) {
		leave(lend());
		take();
	}
	printf("%d\n", dlclose(leaver));
	return 0;
}
