/* SPDX-License-Identifier: MIT */
#include "shim/stdio-streams.h"

#include <errno.h>
#include <sys/wait.h>
#include <wchar.h>

#include "shim/descriptors.h"
#include "shim/identity.h"
#include "shim/next.h"
#include "shim/open-streams.h"
#include "shim/stdio-private.h"
#include "shim/thread.h"

#define FOREIGN (UINT64_C(1) << 40) /* in data[0]: its descriptor is not the module's */
#define FORKS_SHIFT 48		    /* and how often the process had forked */

static uint16_t forks;

static uint64_t attributes_of(int fd, enum stream_kind kind, bool foreign)
{
	foreign = foreign || thread_self.own_descriptors;
	return (uint32_t)fd | (uint64_t)kind << 32 | (foreign ? FOREIGN : 0) |
	       (uint64_t)forks << FORKS_SHIFT;
}

static void stream_enter(FILE *stream, struct holding *holding, int fd, struct origin origin)
{
	struct holding entered;

	open_streams_learn();
	holding->kind = SESSION_STREAM;
	holding->key = (uintptr_t)stream;
	if (fd >= 0)
		holding->data[1] = identity_of_descriptor(fd);
	if (!ledger_acquire(origin, holding))
		descriptor_opened(fd, (struct origin){0});
	else if (ledger_find(SESSION_STREAM, holding->key, &entered))
		descriptor_in_stream(fd, entered.balance);
}

void stream_opened(
	FILE *stream, enum stream_kind kind, struct origin origin, uint32_t text, uint64_t data)
{
	struct holding holding = {.text = text}, was;
	int fd;

	if (!stream)
		return;
	fd = stream_descriptor(stream);
	if (origin.place) {
		holding.data[0] = attributes_of(fd, kind, false);
		holding.data[2] = data;
		stream_enter(stream, &holding, fd, origin);
		return;
	}
	/* one with this address or number was closed without our seeing it */
	ledger_give_back(SESSION_STREAM, (uintptr_t)stream, &was);
	descriptor_opened(fd, origin);
}

/* The descriptor is no new one: when the host's stream gets it, it is still who opened it's. */
static void stream_over(FILE *stream, int fd, bool owned, struct origin origin)
{
	struct holding holding = {.data = {attributes_of(fd, STREAM_FILE, !owned)}}, was;

	if (origin.place)
		stream_enter(stream, &holding, fd, origin);
	else
		ledger_give_back(SESSION_STREAM, (uintptr_t)stream, &was);
}

#define OPENER(name, parameters, arguments, kind, text, data)                                      \
	FILE *name parameters;                                                                     \
	RELIB_EXPORT FILE *name parameters                                                         \
	{                                                                                          \
		struct origin origin;                                                              \
		FILE *stream;                                                                      \
                                                                                                   \
		if (!next_ready() || !next.name) {                                                 \
			errno = ENOSYS;                                                            \
			return NULL;                                                               \
		}                                                                                  \
		stream = next.name arguments;                                                      \
		origin = CALL_ORIGIN();                                                            \
		stream_opened(stream, kind, origin, text, data);                                   \
		return stream;                                                                     \
	}

/*
 * The process of popen's command stands behind the FILE and its table of
 * functions, which is no promise: it is believed when it is a child of ours.
 */
static uint64_t command_process(FILE *stream)
{
	struct {
		FILE file;
		const void *functions;
		int process;
	} *block = (void *)stream;
	siginfo_t info;
	size_t size;

	if (!stream || !heap_owns(stream) || !heap_origin(stream, &size).place ||
		size < sizeof(*block))
		return 0;
	return sys_call6(SYS_waitid, P_PID, block->process, (long)&info,
		       WEXITED | WNOHANG | WNOWAIT, 0, 0)
		       ? 0
		       : (uint64_t)block->process;
}

OPENER(fopen, (const char *path, const char *mode), (path, mode), STREAM_FILE, 0, 0)
OPENER(fopen64, (const char *path, const char *mode), (path, mode), STREAM_FILE, 0, 0)
OPENER(tmpfile, (void), (), STREAM_FILE, 0, 0)
OPENER(tmpfile64, (void), (), STREAM_FILE, 0, 0)
OPENER(popen, (const char *command, const char *type), (command, type), STREAM_COMMAND,
	origin.place &&command ? ledger_text(command) : 0,
	origin.place ? command_process(stream) : 0)
OPENER(fmemopen, (void *buffer, size_t size, const char *mode), (buffer, size, mode), STREAM_BUFFER,
	0, 0)
OPENER(open_memstream, (char **buffer, size_t *size), (buffer, size), STREAM_MEMORY, 0, 0)
OPENER(open_wmemstream, (wchar_t * *buffer, size_t *size), (buffer, size), STREAM_MEMORY, 0, 0)

RELIB_EXPORT FILE *fdopen(int fd, const char *mode)
{
	FILE *stream;
	bool owned;

	if (!next_ready() || !next.fdopen) {
		errno = ENOSYS;
		return NULL;
	}
	owned = descriptor_is_owned(fd);
	stream = next.fdopen(fd, mode);
	if (stream)
		stream_over(stream, fd, owned, CALL_ORIGIN());
	return stream;
}

/* Before the C library closes it: then its address and its number can be another's at once. */
static void stream_closing(FILE *stream)
{
	struct holding was;

	if (!stream)
		return;
	ledger_give_back(SESSION_STREAM, (uintptr_t)stream, &was);
	descriptor_closing(stream_descriptor(stream));
}

int fclose(FILE *stream);
RELIB_EXPORT int fclose(FILE *stream)
{
	if (!next_ready() || !next.fclose)
		return EOF;
	stream_closing(stream);
	return next.fclose(stream);
}

int pclose(FILE *stream);
RELIB_EXPORT int pclose(FILE *stream)
{
	if (!next_ready() || !next.pclose)
		return -1;
	stream_closing(stream);
	return next.pclose(stream);
}

/* The same FILE goes on with another file; when there is none, it is closed. */
static void stream_reopened(FILE *stream, bool renamed)
{
	struct holding holding, was;
	int fd = stream_descriptor(stream);

	if (!ledger_find(SESSION_STREAM, (uintptr_t)stream, &holding)) {
		descriptor_opened(fd, (struct origin){0});
		return;
	}
	if (!open_streams_have(stream)) {
		ledger_give_back(SESSION_STREAM, (uintptr_t)stream, &was);
		return;
	}
	holding.data[0] =
		attributes_of(fd, stream_kind(&holding), !renamed && holding.data[0] & FOREIGN);
	holding.data[1] = fd < 0 ? 0 : identity_of_descriptor(fd);
	ledger_change(&holding);
	descriptor_in_stream(fd, holding.balance);
}

#define REOPENER(name)                                                                             \
	FILE *name(const char *path, const char *mode, FILE *stream);                              \
	RELIB_EXPORT FILE *name(const char *path, const char *mode, FILE *stream)                  \
	{                                                                                          \
		FILE *result;                                                                      \
                                                                                                   \
		if (!next_ready() || !next.name) {                                                 \
			errno = ENOSYS;                                                            \
			return NULL;                                                               \
		}                                                                                  \
		descriptor_closing(stream_descriptor(stream));                                     \
		result = next.name(path, mode, stream);                                            \
		stream_reopened(stream, path != NULL);                                             \
		return result;                                                                     \
	}

REOPENER(freopen)
REOPENER(freopen64)

bool stream_is_foreign(const struct holding *holding)
{
	return holding->data[0] & FOREIGN;
}

bool stream_is_forked(const struct holding *holding)
{
	return holding->data[0] >> FORKS_SHIFT != forks;
}

void stdio_streams_fork_child(void)
{
	forks++;
}
