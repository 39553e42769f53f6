/* SPDX-License-Identifier: MIT */
/*
 * Leaves one of each kind, at each load: what a plugin can acquire and forget.
 * everything_leave returns how much could not be acquired, which is 0.
 */
#include "plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/pidfd.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define SIZE 65536

static long failed;

static void need(int held, const char *what)
{
	if (held)
		return;
	dprintf(2, "cannot %s: %m\n", what);
	failed++;
}

NOINLINE static void leave_descriptors(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	sigset_t signals;
	int pair[2], fd, watcher;

	need((fd = open("/dev/null", O_RDWR)) >= 0, "open");
	need(flock(fd, LOCK_SH) == 0, "flock");
	need(dup(fd) >= 0, "dup");
	need(fcntl(fd, F_DUPFD_CLOEXEC, 100) >= 0, "fcntl");
	need(openat(AT_FDCWD, "/dev/zero", O_RDONLY) >= 0, "openat");
	need(pipe(pair) == 0, "pipe");
	need(socket(AF_INET, SOCK_STREAM, 0) >= 0, "socket");
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
	need(eventfd(0, 0) >= 0, "eventfd");
	need(timerfd_create(CLOCK_MONOTONIC, 0) >= 0, "timerfd_create");
	sigemptyset(&signals);
	need(signalfd(-1, &signals, 0) >= 0, "signalfd");
	need((watcher = epoll_create1(0)) >= 0, "epoll_create1");
	need(epoll_ctl(watcher, EPOLL_CTL_ADD, pair[0], &event) == 0, "epoll_ctl");
	need(inotify_init() >= 0, "inotify_init");
	need(memfd_create("everything", 0) >= 0, "memfd_create");
	need(pidfd_open(getpid(), 0) >= 0, "pidfd_open");
	need(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY) >= 0, "syscall");
}

NOINLINE static void leave_streams(void)
{
	FILE *file;

	need((file = fopen("/dev/null", "w")) != NULL, "fopen");
	need(fprintf(file, "buffered\n") > 0, "fprintf");
	need(tmpfile() != NULL, "tmpfile");
	need(fmemopen(NULL, 100, "w") != NULL, "fmemopen");
	need(opendir("/dev") != NULL, "opendir");
}

NOINLINE static void leave_mappings(void)
{
	char *start = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id;
	void *segment;

	need(start != MAP_FAILED, "mmap");
	memset(start, 1, SIZE);
	id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);
	need(id >= 0, "shmget");
	segment = shmat(id, NULL, 0);
	need(segment != (void *)-1, "shmat");
	memset(segment, 1, SIZE);
	forget(start);
	forget(segment);
}

NOINLINE static void leave_names(const char *folder)
{
	/* what a user has of them is limited, and other tests have some */
	struct mq_attr small = {.mq_maxmsg = 1, .mq_msgsize = 1};
	static unsigned int number;
	char name[4096];
	mqd_t queue;

	snprintf(name, sizeof(name), "%s/everything.XXXXXX", folder);
	need(mkstemp(name) >= 0, "mkstemp");
	snprintf(name, sizeof(name), "%s/everything.XXXXXX", folder);
	need(mkdtemp(name) != NULL, "mkdtemp");
	snprintf(name, sizeof(name), "/relib-test.%d.%u", getpid(), number++);
	need(shm_open(name, O_CREAT | O_EXCL | O_RDWR, 0600) >= 0, "shm_open");
	need(sem_open(name, O_CREAT | O_EXCL, 0600, 1) != SEM_FAILED, "sem_open");
	queue = mq_open(name, O_CREAT | O_EXCL | O_RDWR, 0600, &small);
	/* where the kernel has no queues, there is none to leave */
	need(queue != (mqd_t)-1 || errno == ENOSYS, "mq_open");
	need(semget(IPC_PRIVATE, 1, IPC_CREAT | 0600) >= 0, "semget");
	need(msgget(IPC_PRIVATE, IPC_CREAT | 0600) >= 0, "msgget");
}

static char buffer[4096], stack[65536];

static void on_signal(int number)
{
	(void)number;
}

static void on_timer(union sigval value)
{
	(void)value;
}

static void on_end(int status, void *data)
{
	(void)status;
	(void)data;
}

static void on_quick_end(void)
{
}

NOINLINE static void leave_hooks(void)
{
	const struct itimerspec later = {.it_value = {.tv_sec = 3600}};
	const struct itimerval much_later = {.it_value = {.tv_sec = 3600}};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = on_timer};
	const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	timer_t timer;

	need(signal(SIGUSR2, on_signal) != SIG_ERR, "signal");
	need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	need(timer_settime(timer, 0, &later, NULL) == 0, "timer_settime");
	event = (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2};
	need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
	need(timer_settime(timer, 0, &later, NULL) == 0, "timer_settime");
	need(setitimer(ITIMER_VIRTUAL, &much_later, NULL) == 0, "setitimer");
	need(sigaltstack(&alternate, NULL) == 0, "sigaltstack");
	need(on_exit(on_end, NULL) == 0, "on_exit");
	need(at_quick_exit(on_quick_end) == 0, "at_quick_exit");
	need(pthread_atfork(on_quick_end, NULL, NULL) == 0, "pthread_atfork");
	need(setvbuf(stdout, buffer, _IOFBF, sizeof(buffer)) == 0, "setvbuf");
	openlog("everything", 0, LOG_USER);
}

static void key_end(void *value)
{
	(void)value;
}

NOINLINE static void leave_process(pthread_mutex_t *lock, const char *library)
{
	pthread_key_t key;

	need(pthread_key_create(&key, key_end) == 0, "pthread_key_create");
	need(pthread_setspecific(key, stack) == 0, "pthread_setspecific");
	need(setenv("RELIB_TEST_EVERYTHING", "left", 1) == 0, "setenv");
	need(setlocale(LC_CTYPE, "C.UTF-8") != NULL, "setlocale");
	umask(077);
	need(chdir("/") == 0, "chdir");
	need(dlopen(library, RTLD_NOW) != NULL, "dlopen");
	need(pthread_mutex_lock(lock) == 0, "pthread_mutex_lock");
	forget(malloc(1000));
}

PLUGIN long everything_leave(const char *folder, pthread_mutex_t *lock, const char *library)
{
	leave_descriptors();
	leave_streams();
	leave_mappings();
	leave_names(folder);
	leave_hooks();
	leave_process(lock, library);
	return failed;
}
