// SPDX-License-Identifier: MIT
// A plugin that opens files and directories by the C++ library, and leaves them or not.
#include "plugin.h"

#include <ext/stdio_filebuf.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>

template <typename T> static long end(T *object, long close)
{
	if (!close)
		return (long)object;
	delete object;
	return 1;
}

PLUGIN long by_ofstream(long close)
{
	return end(new std::ofstream("/dev/null"), close);
}

PLUGIN long by_ifstream(long close)
{
	return end(new std::ifstream("/dev/null"), close);
}

PLUGIN long by_filebuf(long close)
{
	auto *buffer = new std::filebuf;

	buffer->open("/dev/null", std::ios::in);
	return end(buffer, close);
}

PLUGIN long by_stdio_filebuf(long close)
{
	return end(new __gnu_cxx::stdio_filebuf<char>(open("/dev/null", O_WRONLY), std::ios::out),
		close);
}

PLUGIN long by_directory_iterator(long close)
{
	return end(new std::filesystem::directory_iterator("/"), close);
}

PLUGIN long by_recursive_directory_iterator(long close)
{
	return end(new std::filesystem::recursive_directory_iterator("/"), close);
}
