/* SPDX-License-Identifier: MIT */
/*
 * relib-names is run by a process between it and us.  A program that was
 * started sends its parent SIGCHLD and can be reaped by any wait(), whatever
 * clone was told; so its parent must not be the host.  The process between
 * shares our memory, starts the program, talks to it and ends; its own end is
 * told to nobody.  It has files of its own, so none of the host's are touched.
 */
#include "shim/explain.h"

#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shim/arch.h"
#include "shim/objects.h"
#include "shim/session.h"
#include "shim/sys.h"
#include "shim/text.h"

#define ANSWER_NS UINT64_C(5000000000)
#define SERVE_NS (ANSWER_NS + UINT64_C(1000000000)) /* a process between that is stuck itself */
#define ENVIRONMENT_MOST 1024u
#define PROGRAMS 3

extern char **environ;

/* All it needs, in one mapping of which little is touched. */
struct explain_room {
	int alive; /* the process between; the kernel clears it */
	int end;   /* the program's end of the socket */
	uint64_t deadline;
	size_t request_size, answer_size;
	unsigned int lines; /* that are awaited */
	char program[PROGRAMS][1200];
	char *environment[ENVIRONMENT_MOST + 1];
	char request[EXPLAIN_MOST * 512];
	char answer[EXPLAIN_MOST * 512];
	char serve_stack[32768] __attribute__((aligned(16)));
	char program_stack[32768] __attribute__((aligned(16)));
};

static uint64_t now_ns(void)
{
	struct timespec now = {0};

	raw(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The program's own variables are not for relib-names, nor what loads us into it. */
static bool is_passed_on(const char *variable)
{
	static const char *const not [] = {
		"LD_PRELOAD=", "LD_AUDIT=", "LD_DEBUG", "RELIB_", "DEBUGINFOD_", NULL};

	for (const char *const *start = not ; *start; start++)
		if (!strncmp(variable, *start, strlen(*start)))
			return false;
	return true;
}

static int program_run(void *data)
{
	struct explain_room *room = data;
	static const char *const arguments[] = {"relib-names", NULL};
	const uint64_t none = 0;
	unsigned int count = 0;
	long end, null;

	for (char **from = environ; from && *from && count < ENVIRONMENT_MOST; from++)
		if (is_passed_on(*from))
			room->environment[count++] = *from;
	room->environment[count] = NULL;
	/* the host's standard files may be closed, and the socket may be one of them */
	end = raw(SYS_fcntl, room->end, F_DUPFD, 3);
	null = raw(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR);
	if (end < 0 || raw(SYS_dup2, end, 0) < 0 || raw(SYS_dup2, end, 1) < 0)
		return 127;
	if (null > 2)
		raw(SYS_dup2, null, 2);
	raw(SYS_close_range, 3, UINT_MAX, 0);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	for (unsigned int i = 0; i < PROGRAMS; i++)
		if (room->program[i][0])
			raw(SYS_execve, room->program[i], arguments, room->environment);
	return 127;
}

static bool request_send(struct explain_room *room, int socket)
{
	size_t sent = 0;

	while (sent < room->request_size) {
		long part = raw(SYS_sendto, socket, room->request + sent, room->request_size - sent,
			MSG_NOSIGNAL, NULL, 0);

		if (part <= 0)
			return false;
		sent += (size_t)part;
	}
	return !raw(SYS_shutdown, socket, SHUT_WR);
}

static void answer_receive(struct explain_room *room, int socket)
{
	struct pollfd readable = {.fd = socket, .events = POLLIN};
	unsigned int lines = 0;
	uint64_t now;

	while (lines < room->lines && (now = now_ns()) < room->deadline) {
		char *at = room->answer + room->answer_size;
		long part = raw(SYS_poll, &readable, 1, (room->deadline - now) / 1000000 + 1);

		if (part > 0)
			part = raw(
				SYS_read, socket, at, sizeof(room->answer) - 1 - room->answer_size);
		if (part <= 0)
			return;
		room->answer_size += (size_t)part;
		for (long i = 0; i < part; i++)
			lines += at[i] == '\n';
	}
}

/* The process between. */
static int explain_serve(void *data)
{
	struct explain_room *room = data;
	int ends[2];
	long pid;

	if (raw(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return 1;
	room->end = ends[1];
	pid = arch_clone(CLONE_VM | CLONE_VFORK | CLONE_UNTRACED | SIGCHLD,
		room->program_stack + sizeof(room->program_stack), NULL, program_run, room);
	raw(SYS_close, ends[1]);
	if (pid < 0)
		return 1;
	if (request_send(room, ends[0]))
		answer_receive(room, ends[0]);
	raw(SYS_kill, pid, SIGKILL);
	raw(SYS_wait4, pid, NULL, __WALL, NULL);
	return 0;
}

/* Waits for the process between, as nobody else can. */
static void explain_await(struct explain_room *room, long pid)
{
	uint64_t end = now_ns() + SERVE_NS, now;
	int alive;

	while ((alive = __atomic_load_n(&room->alive, __ATOMIC_ACQUIRE)) != 0) {
		struct timespec rest;

		now = now_ns();
		if (now >= end) {
			raw(SYS_kill, pid, SIGKILL);
			break;
		}
		rest.tv_sec = (time_t)((end - now) / 1000000000);
		rest.tv_nsec = (long)((end - now) % 1000000000);
		raw(SYS_futex, &room->alive, FUTEX_WAIT, alive, &rest, NULL, 0);
	}
	while (raw(SYS_wait4, pid, NULL, __WALL, NULL) == -EINTR)
		;
}

static void explain_run(struct explain_room *room)
{
	const uint64_t all = ~UINT64_C(0);
	uint64_t mask;
	long pid;

	room->alive = 1;
	room->deadline = now_ns() + ANSWER_NS;
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &all, &mask, sizeof(all));
	pid = arch_clone(CLONE_VM | CLONE_UNTRACED | CLONE_CHILD_CLEARTID,
		room->serve_stack + sizeof(room->serve_stack), &room->alive, explain_serve, room);
	if (pid > 0)
		explain_await(room, pid);
	raw(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
}

/* Beside us in a build tree, else in a tree that was moved, else where it was installed. */
static void programs_find(struct explain_room *room)
{
	const struct object *self = object_of((uintptr_t)&programs_find);
	const char *path = self ? self->name : "", *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash - path) : 0;
	struct text text;

	if (folder >= 6 && !strncmp(slash - 6, "/.libs", 6)) {
		text = text_in(room->program[0], sizeof(room->program[0]));
		text_add_n(&text, path, folder);
		text_add(&text, "/../../cli/relib-names");
	} else if (folder) {
		text = text_in(room->program[0], sizeof(room->program[0]));
		text_add_n(&text, path, folder);
		text_add(&text, "/../libexec/relib/relib-names");
	}
	text = text_in(room->program[1], sizeof(room->program[1]));
	text_add(&text, RELIB_LIBEXECDIR "/relib-names");
}

static const struct session_object *frame_object(uint64_t frame)
{
	uint32_t index = SESSION_FRAME_OBJECT(frame);

	return session && index && index < session->table[SESSION_OBJECTS].record_count
		       ? session_record(SESSION_OBJECTS, index)
		       : NULL;
}

static const char *string_at(uint32_t index)
{
	return index ? session_record(SESSION_STRINGS, index) : "";
}

/* "KIND ADDRESS PATH"; an empty path where there is none that can be written so. */
static void request_add(struct text *text, uint64_t frame, char kind)
{
	const struct session_object *object = frame_object(frame);
	const char *path = object ? string_at(object->path) : "";

	text_add_n(text, &kind, 1);
	text_add(text, " ");
	text_number(text, SESSION_FRAME_OFFSET(frame), 16, 1);
	text_add(text, " ");
	if (object && object->copy) {
		text_add(text, session_objects_folder());
		text_add(text, "/");
		text_add(text, string_at(object->copy));
	} else if (strlen(path) < 400 && !strchr(path, '\n')) {
		text_add(text, path);
	}
	text_add(text, "\n");
}

static const char *object_name(uint64_t frame)
{
	const struct session_object *object = frame_object(frame);
	const char *path = object ? string_at(object->path) : "", *slash = strrchr(path, '/');

	if (object && SESSION_FRAME_OBJECT(frame) == session->host_object)
		return "host";
	if (!*path && object)
		path = string_at(object->soname);
	return slash ? slash + 1 : path;
}

static void line_add(struct text *text, uint64_t frame, const char *answer, size_t length)
{
	const char *name = object_name(frame);

	if (length) {
		text_add_n(text, answer, length);
		text_add(text, " in ");
		text_add(text, name);
	} else {
		text_add(text, name);
		text_add(text, *name ? "+" : "");
		text_hex(text, SESSION_FRAME_OFFSET(frame));
	}
	text_add(text, "\n");
}

void explain_addresses(
	const uint64_t *frames, const char *kinds, unsigned int count, char *text, size_t size)
{
	struct explain_room *room = sys_map(sizeof(*room), PROT_READ | PROT_WRITE);
	struct text to = text_in(text, size), request;
	const char *answer = room ? room->answer : "";

	if (count > EXPLAIN_MOST)
		count = EXPLAIN_MOST;
	if (room) {
		room->lines = count;
		request = text_in(room->request, sizeof(room->request));
		for (unsigned int i = 0; i < count; i++)
			request_add(&request, frames[i], kinds[i]);
		room->request_size = (size_t)(request.at - room->request);
		programs_find(room);
		explain_run(room);
	}
	for (unsigned int i = 0; i < count; i++) {
		const char *end = strchr(answer, '\n');

		line_add(&to, frames[i], answer, end ? (size_t)(end - answer) : 0);
		answer = end ? end + 1 : "";
	}
	if (room)
		sys_unmap(room, sizeof(*room));
}

void explain_frames(
	const uint64_t *frames, unsigned int count, bool first_exact, char *text, size_t size)
{
	char kinds[EXPLAIN_MOST];

	memset(kinds, EXPLAIN_RETURN, sizeof(kinds));
	if (first_exact)
		kinds[0] = EXPLAIN_EXACT;
	explain_addresses(frames, kinds, count, text, size);
}
