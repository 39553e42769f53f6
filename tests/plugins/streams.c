/* SPDX-License-Identifier: MIT */
/*
 * A plugin that opens streams: each function by one function of the C library.
 * With LEAVE it leaves the stream open and returns it; with CLOSE it closes it.
 */
#include "plugin.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

#define LEAVE 0
#define CLOSE 1

static char *memory;
static wchar_t *wide_memory;
static size_t size;

static long stream_end(FILE *stream, long close)
{
	if (!stream)
		return 0;
	if (close == LEAVE)
		return (long)stream;
	return fclose(stream) == 0;
}

PLUGIN long by_fopen(long close)
{
	return stream_end(fopen("/dev/null", "w"), close);
}

PLUGIN long by_fopen64(long close)
{
	return stream_end(fopen64("/dev/null", "w"), close);
}

PLUGIN long by_fdopen(long close)
{
	return stream_end(fdopen(open("/dev/null", O_WRONLY), "w"), close);
}

PLUGIN long by_freopen(long close)
{
	FILE *stream = fopen("/dev/zero", "r");

	return stream_end(freopen("/dev/full", "r", stream), close);
}

PLUGIN long by_freopen64(long close)
{
	FILE *stream = fopen("/dev/zero", "r");

	return stream_end(freopen64("/dev/full", "r", stream), close);
}

PLUGIN long by_tmpfile(long close)
{
	return stream_end(tmpfile(), close);
}

PLUGIN long by_tmpfile64(long close)
{
	return stream_end(tmpfile64(), close);
}

PLUGIN long by_popen(long close)
{
	FILE *stream = popen("exec cat", "w");

	return close == LEAVE ? (long)stream : pclose(stream) == 0;
}

PLUGIN long by_fmemopen(long close)
{
	FILE *stream = fmemopen(NULL, 100, "w");

	fputs("text", stream);
	return stream_end(stream, close);
}

PLUGIN long by_open_memstream(long close)
{
	long result = stream_end(open_memstream(&memory, &size), close);

	if (close == CLOSE)
		free(memory);
	return result;
}

PLUGIN long by_open_wmemstream(long close)
{
	long result = stream_end(open_wmemstream(&wide_memory, &size), close);

	if (close == CLOSE)
		free(wide_memory);
	return result;
}

static ssize_t cookie_write(void *cookie, const char *from, size_t count)
{
	(void)from;
	*(size_t *)cookie += count;
	return (ssize_t)count;
}

static ssize_t cookie_read(void *cookie, char *to, size_t count)
{
	size_t *left = cookie;

	if (count > *left)
		count = *left;
	memset(to, 'r', count);
	*left -= count;
	return (ssize_t)count;
}

static int cookie_seek(void *cookie, off64_t *position, int whence)
{
	(void)cookie;
	(void)whence;
	*position = 7;
	return 0;
}

static int cookie_close(void *cookie)
{
	free(cookie);
	return 0;
}

PLUGIN long by_fopencookie(long close)
{
	size_t *cookie = calloc(1, sizeof(*cookie));
	FILE *stream = fopencookie(cookie, "r+",
		(cookie_io_functions_t){ cookie_read, cookie_write, cookie_seek, cookie_close });

	setvbuf(stream, NULL, _IONBF, 0);
	fputs("twelve bytes", stream);
	fseek(stream, 0, SEEK_SET);
	if (*cookie != 12 || ftell(stream) != 7 || fgetc(stream) != 'r' || *cookie != 11)
		return -1;
	return stream_end(stream, close);
}

PLUGIN long by_opendir(long close)
{
	DIR *directory = opendir("/");

	if (!directory || close == LEAVE)
		return (long)directory;
	return closedir(directory) == 0;
}

PLUGIN long by_fdopendir(long close)
{
	DIR *directory = fdopendir(open("/", O_RDONLY | O_DIRECTORY));

	if (!directory || close == LEAVE)
		return (long)directory;
	return closedir(directory) == 0;
}

/* A command that has ended, though nobody waited for it. */
PLUGIN long by_ended_command(long close)
{
	FILE *stream = popen("true", "r");
	siginfo_t info;

	while (fgetc(stream) != EOF)
		;
	/* the pipe ends a moment before the command does */
	waitid(P_ALL, 0, &info, WEXITED | WNOWAIT);
	return close == LEAVE ? (long)stream : pclose(stream) == 0;
}

static int host_pipe[2];

PLUGIN long make_pipe(long unused)
{
	(void)unused;
	return pipe2(host_pipe, O_CLOEXEC) ? -1 : host_pipe[1];
}

PLUGIN long drain_pipe(long unused)
{
	static char block[1 << 16];

	(void)unused;
	return read(host_pipe[0], block, sizeof(block)) == sizeof(block);
}

/* Fills the host's pipe: writing more waits until the host reads. */
PLUGIN long full_pipe(long fd)
{
	static char block[1 << 16];
	FILE *stream = fdopen(dup((int)fd), "w");

	if (write((int)fd, block, sizeof(block)) != sizeof(block))
		return 0;
	fputs("pending", stream);
	return (long)stream;
}

/* Writing raises SIGPIPE. */
PLUGIN long broken_pipe(long unused)
{
	int ends[2];
	FILE *stream;

	(void)unused;
	if (pipe2(ends, O_CLOEXEC))
		return 0;
	stream = fdopen(ends[1], "w");
	fputs("pending", stream);
	close(ends[0]);
	return (long)stream;
}

/* A stream over the host's descriptor. */
PLUGIN long over_descriptor(long fd)
{
	FILE *stream = fdopen((int)fd, "w");

	fputs("pending\n", stream);
	return (long)stream;
}

PLUGIN long of_file(long close)
{
	FILE *stream = fopen("left.txt", "w");

	fputs("pending\n", stream);
	return stream_end(stream, close);
}

PLUGIN long reopen_stderr(long close)
{
	(void)close;
	return freopen("reopened.txt", "w", stderr) == stderr;
}

PLUGIN long reopen_nowhere(long close)
{
	FILE *stream = fopen("/dev/null", "r");

	(void)close;
	return freopen("/nowhere/at/all", "r", stream) == NULL;
}

/* Given to the C library, which writes it when the program ends. */
PLUGIN long with_static_buffer(long close)
{
	static char buffer[4096];
	FILE *stream = fopen("buffered.txt", "w");

	setvbuf(stream, buffer, _IOFBF, sizeof(buffer));
	fputs("from the buffer\n", stream);
	return stream_end(stream, close);
}

PLUGIN long with_static_memory(long close)
{
	static char buffer[4096];
	FILE *stream = fmemopen(buffer, sizeof(buffer), "w");

	fputs("into the image\n", stream);
	return stream_end(stream, close);
}

PLUGIN long close_stream(long stream)
{
	return fclose((FILE *)stream) == 0;
}

PLUGIN long close_command(long stream)
{
	return pclose((FILE *)stream);
}

PLUGIN long close_directory(long directory)
{
	return closedir((DIR *)directory) == 0;
}

PLUGIN long open_stream(long unused)
{
	(void)unused;
	return (long)fopen("host.txt", "w");
}

PLUGIN long descriptor_of(long stream)
{
	return fileno((FILE *)stream);
}

/* What the host does with a stream that it was given. */
PLUGIN long use_stream(long number)
{
	FILE *stream = (FILE *)number;

	if (fputs("after the plugin went", stream) < 0 || fflush(stream))
		return 1;
	if (fseek(stream, 0, SEEK_SET) == 0)
		return 2;
	clearerr(stream);
	if (fgetc(stream) != EOF || ferror(stream))
		return 3;
	return 0;
}
