/* SPDX-License-Identifier: MIT */
/* A plugin that leaves streams open, with output that was not written yet. */
#include "plugin.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

static FILE *opened(void)
{
	return fopen(getenv("STREAMER_FILE"), "w");
}

PLUGIN long leave_stream(long unused)
{
	FILE *stream = opened();

	(void)unused;
	fputs("pending", stream);
	return (long)stream;
}

PLUGIN long leave_wide(long unused)
{
	FILE *stream = opened();

	(void)unused;
	fputws(L"pending", stream);
	return (long)stream;
}

/* The buffer is the plugin's own, and nothing but the stream refers to it. */
PLUGIN long leave_buffered(long unused)
{
	FILE *stream = opened();

	(void)unused;
	setvbuf(stream, malloc(2000), _IOFBF, 2000);
	fputs("pending", stream);
	return (long)stream;
}

/* The C library's list leads from the second to the first. */
PLUGIN long leave_two(long unused)
{
	FILE *first = opened(), *second = fopen("/dev/null", "w");

	(void)unused;
	fputs("pending", first);
	fputs("too", second);
	return (long)second;
}

/* A block that nobody refers to holds it. */
PLUGIN long leave_in_block(long unused)
{
	void **block = malloc(444);

	(void)unused;
	block[3] = (void *)leave_stream(0);
	return (long)block;
}

PLUGIN long leave_directory(long unused)
{
	DIR *directory = opendir("/");

	(void)unused;
	readdir(directory);
	return (long)directory;
}
