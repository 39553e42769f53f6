// SPDX-License-Identifier: MIT
// Descriptors of C++: from a static object's constructor, through the library, out of a lambda.
#include "plugin.h"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>

namespace {

struct descriptor {
	int fd;
	explicit descriptor(int fd) : fd(fd) {}
	~descriptor() { close(fd); }
};

// opened while dlopen runs, and closed by the finalizers
struct constructed : descriptor {
	NOINLINE constructed() : descriptor(open("/dev/zero", O_RDONLY)) {}
} constructed_one;

// opened while dlopen runs, and left
struct neglected {
	int fd;
	NOINLINE neglected() : fd(open("/dev/full", O_RDONLY)) {}
} neglected_one;

} // namespace

PLUGIN long leave_random_device(long)
{
	auto *device = new (std::nothrow) std::random_device("/dev/urandom");

	forget(device);
	return (*device)() != 0 || (*device)() != 0;
}

PLUGIN long leave_lambda(long)
{
	std::function<int()> opener = [] { return eventfd(0, 0); };
	long fd = opener();

	NOT_A_TAIL_CALL();
	return fd;
}

PLUGIN long return_thrown(long)
{
	try {
		descriptor kept(eventfd(0, 0));
		throw kept.fd;
	} catch (int fd) {
		return fd;
	}
}

PLUGIN long return_copy(long)
{
	std::error_code error;
	std::string folder = getenv("DESCRIPTORS_FOLDER");

	std::filesystem::copy_file("/proc/self/status", folder + "/copied",
		std::filesystem::copy_options::overwrite_existing, error);
	return -error.value();
}

PLUGIN long leave_unique(long)
{
	auto kept = std::make_unique<int>(open("/dev/null", O_RDONLY));
	long fd = *kept;

	return fd;
}
