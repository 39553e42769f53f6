/* SPDX-License-Identifier: MIT */
/* A C++ plugin that starts processes, also while an exception is under way. */
#include "plugin.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

PLUGIN long system_status(long status)
{
	return WEXITSTATUS(std::system(("exit " + std::to_string(status)).c_str()));
}

struct starts {
	pid_t pid = -1;

	~starts()
	{
		pid = vfork();
		if (pid == 0)
			_exit(11);
	}
};

PLUGIN long vfork_unwinding(long left)
{
	try {
		starts here;

		throw std::runtime_error("unwound");
	} catch (const std::exception &) {
	}
	if (!left)
		while (wait(nullptr) > 0)
			;
	return 1;
}

PLUGIN long fork_in_threads(long threads)
{
	std::vector<std::thread> all;

	for (long i = 0; i < threads; i++)
		all.emplace_back([i] {
			for (int n = 0; n < 50; n++) {
				pid_t pid = n % 2 ? fork() : vfork();

				if (pid == 0)
					_exit(int(i));
				waitpid(pid, nullptr, 0);
			}
		});
	for (auto &one : all)
		one.join();
	return threads;
}
