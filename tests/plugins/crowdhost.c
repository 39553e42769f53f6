/* SPDX-License-Identifier: MIT */
/*
 * crowdhost refuse|defer ROUNDS COUNT PLUGIN: in each round COUNT threads of the
 * plugin stand in the way of a first dlclose, and none in that of a second.
 */
#include "host.h"

static int missed, false_refusals, wrong, stayed;

static void round_refused(void *handle, int (*end)(int), int count)
{
	uintptr_t address = object_address(handle);

	if (dlclose(handle) == 0) {
		missed++;
		die("a thread was missed");
	}
	if (!dlerror())
		wrong++;
	wrong += end(count) != count;
	scrub_stack();
	if (dlclose(handle) != 0) {
		dprintf(2, "%s\n", dlerror());
		false_refusals++;
		while (dlclose(handle) != 0)
			usleep(1000);
	}
	stayed += address_is_loaded(address);
}

static void round_deferred(void *handle, int (*end)(int), int count)
{
	uintptr_t address = object_address(handle);

	wrong += dlclose(handle) != 0;
	if (!address_is_loaded(address)) {
		missed++;
		die("a thread was missed");
	}
	/* closed as often as it was opened: the loader's word for it */
	wrong += dlclose(handle) == 0 || !dlerror();
	wrong += end(count) != count;
	stayed += address_is_loaded(address);
}

int main(int argc, char **argv)
{
	int rounds, count, refuse;
	long resident = 0;

	if (argc != 5)
		return 2;
	refuse = strcmp(argv[1], "refuse") == 0;
	rounds = atoi(argv[2]);
	count = atoi(argv[3]);
	for (int i = 0; i < rounds; i++) {
		void *handle = plugin_open(argv[4]);
		int (*begin)(int) = (int (*)(int))plugin_symbol(handle, "crowd_begin");
		int (*end)(int) = (int (*)(int))plugin_symbol(handle, "crowd_end");

		if (begin(count) != count)
			die("the threads cannot be created");
		(refuse ? round_refused : round_deferred)(handle, end, count);
		if (i == rounds / 10)
			resident = resident_bytes();
	}
	verdict(!missed, "no thread was missed");
	verdict(!false_refusals, "no dlclose was refused without a thread");
	verdict(!wrong, "every thread came to its end, and every call said what is true");
	verdict(!stayed, "every generation went when its last thread had left");
	dprintf(1, "stayed %d, resident after a tenth %ld, at the end %ld\n", stayed, resident,
		resident_bytes());
	return 0;
}
