/* SPDX-License-Identifier: MIT */
/*
 * forker PLUGIN.so: loads the plugin, which leaks, and forks.  The child leaks
 * more and unloads while the parent waits; then the parent unloads.  Says
 * "pids PARENT CHILD" first.
 */
#include "host.h"

#include <sys/wait.h>

static void leak(void *handle, long blocks)
{
	long (*leak_blocks)(long) = (long (*)(long))plugin_symbol(handle, "leak_blocks");

	leak_blocks(blocks);
	scrub_stack();
}

int main(int argc, char **argv)
{
	void *handle;
	int status = -1;
	pid_t pid;

	if (argc != 2)
		die("usage: forker PLUGIN.so");
	watchdog(60);
	handle = plugin_open(argv[1]);
	leak(handle, 10);
	pid = fork();
	if (pid == 0) {
		watchdog(60);
		leak(handle, 5);
		verdict(plugin_close(handle), "the child unloads the plugin");
		handle = plugin_open(argv[1]);
		leak(handle, 2);
		verdict(plugin_close(handle), "the child loads and unloads it once more");
		exit(7);
	}
	dprintf(1, "pids %d %d\n", (int)getpid(), (int)pid);
	verdict(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7,
		"the child ends as it wants");
	leak(handle, 1);
	verdict(plugin_close(handle), "the parent unloads the plugin");
	return 0;
}
