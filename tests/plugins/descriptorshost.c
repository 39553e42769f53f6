/* SPDX-License-Identifier: MIT */
/*
 * A host whose descriptors and its plugin's meet: descriptorshost PLUGIN SCENARIO.
 * It says what held, one "ok WHAT" or "bad WHAT" a line.
 */
#include "host.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

pid_t __vfork(void);

static void *plugin;

NOINLINE static long call(const char *function, long number)
{
	long (*symbol)(long) = (long (*)(long))plugin_symbol(plugin, function);
	long result = symbol(number);

	NOT_A_TAIL_CALL();
	return result;
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static int open_count(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

static void unload(void)
{
	verdict(plugin_close(plugin), "the plugin is gone");
}

/* The plugin's number is used again by the host, which the plugin's was closed without a word. */
static int open_raw(const char *path)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"((long)SYS_open), "D"(path), "S"((long)O_RDONLY), "d"(0L)
			 : "rcx", "r11", "memory");
	return (int)result;
}

static void handed_over(void)
{
	int fd = (int)call("leave_eventfd", 0);
	uint64_t value = 7;

	unload();
	verdict(is_open(fd), "what the plugin handed over is open after the unload");
	verdict(write(fd, &value, 8) == 8 && read(fd, &value, 8) == 8 && value == 7,
		"and works");
	verdict(!close(fd), "the host closes it");
}

static void behind(void)
{
	call("close_raw", call("leave_eventfd", 0));
	unload();
}

/* The host's own stands where the plugin's was; opened in a way that nobody sees. */
static void reused_unseen(void)
{
	int fd = (int)call("leave_eventfd", 0), mine;
	struct stat is, was;

	call("close_raw", fd);
	mine = open_raw("/proc/self/status");
	fstat(mine, &was);
	verdict(mine == fd, "the host has the number now");
	unload();
	verdict(!fstat(mine, &is) && is.st_ino == was.st_ino, "and keeps it");
}

static void reused(void)
{
	int fd = (int)call("leave_eventfd", 0), mine;

	call("close_raw", fd);
	mine = open("/dev/null", O_RDONLY);
	verdict(mine == fd, "the host has the number now");
	unload();
	verdict(is_open(mine) && !close(mine), "and keeps it");
}

static void closing(void)
{
	static const char *const functions[] = { "leave_open", "leave_pipe", "leave_eventfd",
		"leave_socketpair", "leave_epoll_create1", "leave_memfd_create", "leave_dup" };
	int before = open_count();

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		verdict(call(functions[i], 0) >= 0, functions[i]);
	verdict(open_count() == before + 9, "they are open before the unload");
	unload();
	verdict(open_count() == before, "and none is after it");
}

static void over(void)
{
	struct stat before, after;

	fstat(2, &before);
	call("redirect_for_a_while", 2);
	verdict(!fstat(2, &after) && after.st_ino == before.st_ino, "a redirection is undone");
	call("redirect", 2);
	unload();
	verdict(is_open(2), "standard error is open after the unload");
}

static void over_high(void)
{
	int fd = fcntl(2, F_DUPFD, 100);

	call("redirect", fd);
	unload();
	verdict(is_open(fd), "what the plugin put over the host's stays open");
}

static void host_over(void)
{
	int fd = (int)call("leave_eventfd", 0);

	verdict(dup2(2, fd) == fd, "the host puts its own over the plugin's");
	verdict(dup2(9999, (int)call("leave_eventfd", 0)) == -1, "one dup2 fails");
	unload();
	verdict(is_open(fd), "the host's is open after the unload");
}

static void rights(void)
{
	union {
		struct cmsghdr header;
		char bytes[64];
	} sent = { .bytes = "" };
	char byte = 1;
	struct iovec part = { &byte, 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &sent,
		.msg_controllen = CMSG_SPACE(sizeof(int)) };
	int ends[2], zero = 0;

	sent.header.cmsg_level = SOL_SOCKET;
	sent.header.cmsg_type = SCM_RIGHTS;
	sent.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&sent.header), &zero, sizeof(zero));
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	verdict(sendmsg(ends[0], &message, 0) == 1, "the host sends a descriptor");
	verdict(call("receive_from", ends[1]) > ends[1], "the plugin receives it");
	unload();
}

static void forked(void)
{
	int fd = (int)call("leave_eventfd", 0), other = (int)call("leave_memfd_create", 0), status;
	pid_t child = fork();

	if (!child) {
		close(fd);
		_exit(plugin_close(plugin) && is_open(other) && !close(other) ? 0 : 1);
	}
	verdict(waitpid(child, &status, 0) == child && !status, "the child closes, and unloads");
	unload();
	verdict(is_open(fd) && is_open(other), "the parent's are open");
	close(other);
}

static void vforked(void)
{
	int fd = (int)call("leave_eventfd", 0), status;
	pid_t child = vfork();

	if (!child) {
		close(fd);
		dup2(2, fd);
		open("/dev/null", O_RDONLY);
		_exit(0);
	}
	verdict(waitpid(child, &status, 0) == child && !status, "the child closes");
	unload();
	verdict(is_open(fd) && !close(fd), "the parent's is open");
}

static int close_all(void *unused)
{
	(void)unused;
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	_exit(0);
}

/* Children with descriptors of their own, for whom no handlers of fork run. */
static void forked_bare(void)
{
	static char stack[65536];
	int fd = (int)call("leave_eventfd", 0), status;
	pid_t child = _Fork();

	if (!child)
		close_all(NULL);
	verdict(waitpid(child, &status, 0) == child && !status, "a child of _Fork closes");
	child = clone(close_all, stack + sizeof(stack), SIGCHLD, NULL);
	verdict(waitpid(child, &status, 0) == child && !status, "a child of clone closes");
	child = __vfork();
	if (!child)
		close_all(NULL);
	verdict(waitpid(child, &status, 0) == child && !status, "a child of __vfork closes");
	unload();
	verdict(is_open(fd), "the parent's is open");
}

static int unshared_ready[2], unshared_stop[2];

/* Its descriptors get the numbers that the host has in its own table. */
static void *run_unshared(void *way)
{
	char byte = 0;
	int result;

	if (!strcmp(way, "unshare"))
		result = unshare(CLONE_FILES);
	else if (!strcmp(way, "syscall"))
		result = (int)syscall(SYS_unshare, CLONE_FILES);
	else
		result = close_range(900, 901, CLOSE_RANGE_UNSHARE);
	verdict(!result, way);
	for (int fd = 100; fd < 110; fd++)
		close(fd);
	for (int i = 0; i < 110; i++) {
		call("leave_eventfd", 0);
		call("leave_folder", 0);
	}
	verdict(write(unshared_ready[1], &byte, 1) == 1 && read(unshared_stop[0], &byte, 1) == 1,
		"the thread stays until the plugin is gone");
	return NULL;
}

static void unshared(void)
{
	static char *const ways[] = { "unshare", "syscall", "close_range" };
	pthread_t threads[3];
	int lost = 0;
	char byte = 0;

	verdict(!pipe(unshared_ready) && !pipe(unshared_stop), "pipes");
	for (int fd = 100; fd < 110; fd++)
		dup2(fd % 2 ? eventfd(0, 0) : open("/proc", O_RDONLY | O_DIRECTORY), fd);
	for (int i = 0; i < 3; i++) {
		pthread_create(&threads[i], NULL, run_unshared, ways[i]);
		verdict(read(unshared_ready[0], &byte, 1) == 1, "the thread has opened");
	}
	unload();
	for (int fd = 100; fd < 110; fd++)
		lost += !is_open(fd);
	verdict(!lost, "the host's descriptors are open");
	verdict(write(unshared_stop[1], "abc", 3) == 3, "the threads may end");
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

#define HANDLED 1000
static int handled[HANDLED];
static volatile sig_atomic_t handled_count, handler_errors;

static void on_signal(int signal)
{
	int saved = errno;

	(void)signal;
	errno = 4711;
	if (handled_count < HANDLED && handled[handled_count] >= 0)
		if (close(handled[handled_count++]) || errno != 4711)
			handler_errors++;
	errno = saved;
}

/* Signals come while the plugin opens and closes in the same thread. */
static void in_handler(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	timer_t timer;
	struct itimerspec often = { { 0, 50000 }, { 0, 50000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	long left = 0;

	for (int i = 0; i < HANDLED; i++)
		handled[i] = (int)call("leave_eventfd", 0);
	sigaction(SIGUSR1, &action, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &often, NULL);
	while (handled_count < HANDLED && left >= 0 && left < 2000)
		left += call("churn", 70);
	for (int spare = 0; handled_count < HANDLED; spare++)
		if (close(open("/dev/null", O_RDONLY)))
			handler_errors++;
	timer_delete(timer);
	verdict(handler_errors == 0, "each close in the handler succeeded and kept errno");
	dprintf(1, "left %ld\n", left);
	unload();
}

#define THREADS 4
#define ROUNDS 14000
static volatile int stopped;

static void *run_plugin(void *unused)
{
	(void)unused;
	return (void *)call("churn", ROUNDS);
}

/* The host opens and closes too, and gets the numbers that the plugin's threads gave back. */
static void *run_host(void *unused)
{
	long wrong = 0;

	(void)unused;
	while (!stopped) {
		int fd = eventfd(0, 0), other = dup(fd);

		wrong += dup2(fd, other) != other;
		wrong += close(fd) != 0;
		wrong += close_range((unsigned int)other, (unsigned int)other, 0) != 0;
	}
	return (void *)wrong;
}

static void racing(void)
{
	struct rlimit limit;
	pthread_t plugins[THREADS], hosts[THREADS];
	void *result;
	long left = 0, wrong = 0;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; i < THREADS; i++) {
		pthread_create(&plugins[i], NULL, run_plugin, NULL);
		pthread_create(&hosts[i], NULL, run_host, NULL);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(plugins[i], &result);
		left += (long)result;
	}
	stopped = 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(hosts[i], &result);
		wrong += (long)result;
	}
	verdict(!wrong, "each call of the host succeeded");
	dprintf(1, "left %ld\n", left);
	unload();
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} scenarios[] = {
		{ "handed-over", handed_over }, { "behind", behind }, { "reused", reused },
		{ "reused-unseen", reused_unseen }, { "closing", closing }, { "over", over },
		{ "over-high", over_high }, { "host-over", host_over }, { "rights", rights },
		{ "forked", forked }, { "vforked", vforked }, { "in-handler", in_handler },
		{ "racing", racing }, { "forked-bare", forked_bare }, { "unshared", unshared },
	};

	if (argc != 3)
		die("usage: %s PLUGIN SCENARIO", argv[0]);
	watchdog(120);
	plugin = plugin_open(argv[1]);
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(*scenarios); i++)
		if (!strcmp(scenarios[i].name, argv[2]))
			scenarios[i].run();
	return 0;
}
