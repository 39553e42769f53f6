/* SPDX-License-Identifier: MIT */
/* Streams that a module left: closed, or recorded. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/wait.h>
#include <wchar.h>

#include "shim/cookies.h"
#include "shim/descriptors.h"
#include "shim/identity.h"
#include "shim/next.h"
#include "shim/open-streams.h"
#include "shim/settings.h"
#include "shim/settle.h"
#include "shim/stdio-private.h"
#include "shim/stdio-streams.h"

static FILE *stream_of(const struct holding *holding)
{
	return (FILE *)(uintptr_t)holding->key;
}

/* Its block is the generation's still, and not one that came to its place. */
static bool has_block(const struct holding *holding)
{
	const void *block = stream_of(holding);
	struct origin origin;
	size_t size;

	if (!heap_owns(block))
		return false;
	origin = heap_origin(block, &size);
	return origin.place && size >= sizeof(FILE) &&
	       generation_at(origin.generation)->record == balance_at(holding->balance)->generation;
}

/* Streams of memory alone stand in no list. */
static bool is_open(const struct holding *holding)
{
	if (stream_kind(holding) == STREAM_MEMORY)
		return !heap_owns(stream_of(holding)) || has_block(holding);
	return open_streams_have(stream_of(holding));
}

static bool has_descriptor(const struct holding *holding)
{
	int fd = stream_descriptor_then(holding);

	return fd >= 0 && identity_of_descriptor(fd) == holding->data[1];
}

static const char *why_command(const struct holding *holding)
{
	siginfo_t info = {0};

	if (!holding->data[2])
		return "its command is not known";
	/* when somebody else has waited for it, pclose does not wait either */
	if (!sys_call6(SYS_waitid, P_PID, (long)holding->data[2], (long)&info,
		    WEXITED | WNOHANG | WNOWAIT, 0, 0) &&
		!info.si_pid)
		return "its command still runs";
	return NULL;
}

/* A pipe that is ready takes this much. */
#define READY_BYTES 4096u

static bool would_block(FILE *stream, int fd)
{
	struct pollfd poll = {.fd = fd, .events = POLLOUT};
	size_t pending = __fpending(stream);
	struct stat file;

	if (fwide(stream, 0) > 0)
		pending *= sizeof(wchar_t);
	if (!pending || (!sys_call(SYS_fstat, fd, &file, 0) && S_ISREG(file.st_mode)))
		return false;
	return pending > READY_BYTES || sys_call(SYS_poll, &poll, 1, 0) != 1;
}

static const char *why_not(const struct holding *holding)
{
	FILE *stream = stream_of(holding);
	const char *why = NULL;

	if (stream_is_forked(holding))
		return "it was opened before the fork";
	if (stream_kind(holding) == STREAM_MEMORY)
		return "it is memory";
	if (!has_block(holding))
		return "its memory is the host's";
	if (stream_kind(holding) == STREAM_COOKIE && !cookie_is_harmless(holding->data[2]))
		return "functions of the program belong to it";
	if (stream_kind(holding) == STREAM_COMMAND)
		why = why_command(holding);
	if (why)
		return why;
	if (ftrylockfile(stream))
		return "another thread uses it";
	if (has_descriptor(holding) && would_block(stream, stream_descriptor_then(holding)))
		why = "writing would block";
	funlockfile(stream);
	return why;
}

/* What the last output of a stream can send to this thread. */
struct held_signals {
	uint64_t were_blocked, were_pending;
};
#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))
#define WRITE_SIGNALS (SIGNAL_BIT(SIGPIPE) | SIGNAL_BIT(SIGXFSZ))

static void signals_hold(struct held_signals *held)
{
	uint64_t block = WRITE_SIGNALS;

	sys_call(SYS_rt_sigpending, &held->were_pending, sizeof(uint64_t), 0);
	sys_call6(SYS_rt_sigprocmask, SIG_BLOCK, (long)&block, (long)&held->were_blocked,
		sizeof(uint64_t), 0, 0);
}

static void signals_release(const struct held_signals *held)
{
	uint64_t take = WRITE_SIGNALS & ~held->were_pending;
	const struct timespec now = {0};

	while (take && sys_call6(SYS_rt_sigtimedwait, (long)&take, 0, (long)&now, sizeof(uint64_t),
			       0, 0) > 0)
		;
	sys_call6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&held->were_blocked, 0, sizeof(uint64_t),
		0, 0);
}

/* The descriptor is left alone when it is the host's, or the number is another's by now. */
static void close_now(const struct holding *holding)
{
	FILE *stream = stream_of(holding);
	int fd = stream_descriptor_then(holding);
	struct held_signals held;

	signals_hold(&held);
	/* the memory may be gone */
	if (stream_kind(holding) == STREAM_BUFFER)
		__fpurge(stream);
	if (fd >= 0 && !has_descriptor(holding)) {
		stream->_fileno = -1;
	} else if (fd >= 0 && stream_is_foreign(holding)) {
		if (__fpending(stream))
			fflush(stream);
		stream->_fileno = -1;
	} else {
		descriptor_closing(fd);
	}
	if (stream_kind(holding) == STREAM_COMMAND)
		next.pclose(stream);
	else
		next.fclose(stream);
	signals_release(&held);
}

static const char *text_of(const struct holding *holding, char *room, size_t size)
{
	switch (stream_kind(holding)) {
	case STREAM_COMMAND:
		return NULL; /* the command, which is the holding's text */
	case STREAM_BUFFER:
	case STREAM_MEMORY:
		return "memory stream";
	case STREAM_COOKIE:
		return "cookie stream";
	default:
		if (!has_descriptor(holding))
			return "its descriptor is closed";
		return descriptor_text(stream_descriptor_then(holding), room, size) ? room : NULL;
	}
}

static bool close_listed(struct holding *holding, const char **why)
{
	char room[4200];
	const char *text;

	if (!is_open(holding))
		return false;
	*why = why_not(holding);
	if (*why)
		return false;
	text = text_of(holding, room, sizeof(room));
	if (text)
		holding->text = ledger_text(text);
	ledger_forget(SESSION_STREAM, holding->key);
	close_now(holding);
	return true;
}

bool stream_close(struct holding *holding, const char **why)
{
	int saved = errno;
	bool closed;

	*why = NULL;
	if (!next.fclose || !next.pclose)
		return false;
	if (!open_streams_lock()) {
		*why = "another thread keeps the C library's list of streams locked";
		return false;
	}
	closed = close_listed(holding, why);
	open_streams_unlock();
	errno = saved;
	return closed;
}

void stream_leftover(const struct holding *holding, enum session_leftover_state state,
	const struct session_root *root, const char *why)
{
	struct session_leftover like = {
		.balance = holding->balance,
		.state = state,
		.number = holding->key,
		.text = holding->text,
	};
	struct holding recorded = *holding;
	const char *text = NULL;
	char room[4200];

	if (holding->leftover)
		return;
	if (root)
		like.root = *root;
	if (state != SESSION_TAKEN_BACK && !is_open(holding)) {
		/* memory that nobody referred to was freed with the rest */
		if (stream_kind(holding) == STREAM_MEMORY)
			ledger_taken_back(holding, holding->key, "memory stream");
		else
			ledger_was_gone(holding);
		return;
	}
	if (state != SESSION_TAKEN_BACK)
		text = text_of(holding, room, sizeof(room));
	recorded.leftover = leftover_add(&like, text, why);
	if (state != SESSION_TAKEN_BACK)
		ledger_change(&recorded);
}

static void visit_left(const struct holding *holding, void *data)
{
	stream_leftover(holding, SESSION_LEFT, NULL, NULL);
}

void streams_settle(uint32_t generation)
{
	ledger_each(SESSION_STREAM, generation, visit_left, NULL);
}

/* When the program ends the C library writes what is pending, wherever it goes. */
static void visit_flush(const struct holding *holding, void *data)
{
	FILE *stream = stream_of(holding);

	if (stream_kind(holding) != STREAM_BUFFER || !is_open(holding) || ftrylockfile(stream))
		return;
	if (__fpending(stream))
		fflush_unlocked(stream);
	funlockfile(stream);
}

void streams_flush(uint16_t generation)
{
	ledger_each(SESSION_STREAM, generation_at(generation)->record, visit_flush, NULL);
}
