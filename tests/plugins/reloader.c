/* SPDX-License-Identifier: MIT */
/*
 * reloader WHAT FOLDER FIRST.so SECOND.so [TIMES]: a host that loads
 * FOLDER/plugin.so again and again, the one build and the other in turn, and
 * then does what would use the leftovers of the build before.  Says how often
 * it was as it should be.
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

typedef long (*function_t)(long);

static const char *folder;
static const char *build[2];
static char path[4096];
static int times = 100;
static _Atomic long notes[4];
static uintptr_t before; /* an address in the build before */

void host_note(long version);
long host_wait(long version);

void host_note(long version)
{
	notes[version & 3]++;
}

/* --- one load ------------------------------------------------------------- */

/* The build becomes the plugin's file, as an installer does it. */
static void install(int i, const char *name)
{
	char fresh[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	*strrchr(path, '/') = 0;
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	snprintf(fresh, sizeof(fresh), "%s/fresh", folder);
	if (link(build[i % 2], fresh) != 0 || rename(fresh, path) != 0)
		die("link %s: %m", path);
}

NOINLINE static long call(void *handle, const char *name)
{
	long result = ((function_t)plugin_symbol(handle, name))(0);

	NOT_A_TAIL_CALL();
	return result;
}

/* The build that was installed is the one that runs. */
NOINLINE static int is_build(void *handle, int i)
{
	return call(handle, "misbehave_version") == i % 2 + 1;
}

/* A load beside whatever is left of others under other names. */
static void *load_beside(int i)
{
	char name[32];

	snprintf(name, sizeof(name), "%d/plugin.so", i);
	install(i, name);
	return plugin_open(path);
}

static void *load_again(int i)
{
	install(i, "plugin.so");
	return plugin_open(path);
}

static int is_gone_soon(uintptr_t address)
{
	for (int i = 0; i < 200000 && address_is_loaded(address); i++)
		sched_yield();
	return !address_is_loaded(address);
}

static void said(int count, const char *what)
{
	char text[128];

	snprintf(text, sizeof(text), "%d times: %s", times, what);
	if (count != times)
		dprintf(1, "# only %d times\n", count);
	verdict(count == times, text);
}

/* --- a thread of the host's that does what it is told ---------------------- */

static sem_t worker_go, worker_done;
static void (*volatile worker_step)(void *);
static void *worker_argument;
static pthread_t worker_thread;

static void *worker_run(void *unused)
{
	for (;;) {
		sem_wait(&worker_go);
		if (!worker_step)
			return unused;
		worker_step(worker_argument);
		scrub_stack();
		sem_post(&worker_done);
	}
}

static void worker_start(void)
{
	if (pthread_create(&worker_thread, NULL, worker_run, NULL) != 0)
		die("pthread_create");
}

static void worker_do(void (*step)(void *), void *argument)
{
	worker_argument = argument;
	worker_step = step;
	sem_post(&worker_go);
	sem_wait(&worker_done);
}

static void worker_end(void)
{
	worker_step = NULL;
	sem_post(&worker_go);
	pthread_join(worker_thread, NULL);
}

static void step_misbehave_too(void *handle)
{
	call(handle, "misbehave_too");
}

/* --- a thread of the plugin's is left -------------------------------------- */

static sem_t threads_waiting, threads_go[2]; /* of each build's */

long host_wait(long version)
{
	sem_post(&threads_waiting);
	return sem_wait(&threads_go[version - 1]);
}

static void leave_thread(void)
{
	int right = 0, stayed = 0, revived = 0, gone = 0;

	for (int i = 0; i < times; i++) {
		void *handle = load_beside(i);

		right += is_build(handle, i) && !call(handle, "misbehave");
		sem_wait(&threads_waiting);
		if (before) {
			sem_post(&threads_go[(i + 1) % 2]);
			gone += is_gone_soon(before);
		}
		before = object_address(handle);
		stayed += !plugin_close(handle);
		revived +=
			plugin_open(path) == handle && is_build(handle, i) && !plugin_close(handle);
	}
	said(right, "the new build runs beside the one that its thread is left in");
	said(stayed, "that one stays while its thread runs");
	said(revived, "a load of it meanwhile finds it as it is");
	said(gone + 1, "it goes when its thread has ended");
	dprintf(1, "running\n");
	read_command(path, sizeof(path));
	sem_post(&threads_go[(times + 1) % 2]);
	verdict(is_gone_soon(before), "the last one too");
}

/* --- the others are gone at once ------------------------------------------- */

static void reload(void (*use)(void *handle, int i), int *right, int *gone)
{
	for (int i = 0; i < times; i++) {
		void *handle = load_again(i);

		*right += is_build(handle, i) && !call(handle, "misbehave");
		if (use)
			use(handle, i);
		before = object_address(handle);
		plugin_close(handle);
		*gone += is_gone_soon(before);
	}
}

static void leave_key(void)
{
	int right = 0, gone = 0;
	pthread_key_t key;

	reload(NULL, &right, &gone);
	said(right, "there is a key to be had, and the new build runs");
	said(gone, "the plugin goes");
	said((int)(notes[1] + notes[2]), "the destructor runs once, for the thread that unloads");
	verdict(pthread_key_create(&key, NULL) == 0, "the host still gets a key");
}

/* What another thread of the host's has is there still when the next build is loaded. */
static void leave_for_later(void)
{
	int right = 0, gone = 0;
	long late = 0;

	for (int i = 0; i < times; i++) {
		void *handle = load_again(i);
		long noted;

		if (i)
			noted = notes[1] + notes[2], worker_end(),
			late += notes[1] + notes[2] - noted;
		right += is_build(handle, i) && !call(handle, "misbehave");
		worker_start();
		worker_do(step_misbehave_too, handle);
		before = object_address(handle);
		plugin_close(handle);
		gone += is_gone_soon(before);
	}
	worker_end();
	said(right, "the new build runs");
	said(gone, "the plugin goes, whatever other threads have of it");
	said((int)(notes[1] + notes[2]), "the destructor runs for the thread that unloads");
	verdict(late == 0, "no destructor runs when the other thread ends, under the next build");
}

static volatile sig_atomic_t host_signals;

static void host_handler(int number)
{
	host_signals += number == SIGUSR1;
}

/* Fires when the plugin before is gone, and this one has set no handler yet. */
static void leave_signal(void)
{
	int right = 0, gone = 0;

	signal(SIGUSR1, host_handler);
	for (int i = 0; i < times; i++) {
		void *handle = load_again(i);

		raise(SIGUSR1);
		right += is_build(handle, i) && !call(handle, "misbehave");
		before = object_address(handle);
		plugin_close(handle);
		gone += is_gone_soon(before);
	}
	said(right, "the new build runs");
	said(gone, "the plugin goes");
	said(host_signals, "the signal gets to the host's handler after that");
	said((int)(notes[1] + notes[2]), "and to the plugin's before");
}

static void use_timer(void *handle, int i)
{
	(void)handle;
	while (!notes[i % 2 + 1])
		sched_yield();
	notes[(i + 1) % 2 + 1] = 0;
}

static void leave_timer(void)
{
	int right = 0, gone = 0;

	reload(use_timer, &right, &gone);
	said(right, "the new build runs and its timer fires");
	said(gone, "the plugin goes");
	notes[1] = notes[2] = 0;
	/* a dozen periods */
	nanosleep(&(struct timespec){0, 2400000}, NULL);
	verdict(notes[1] + notes[2] == 0, "no timer fires any more");
}

/* --- old pointers ----------------------------------------------------------- */

static function_t volatile callback;
static __thread sigjmp_buf back;
static __thread volatile int guarded;

static void handle_fault(int number)
{
	if (!guarded) {
		signal(number, SIG_DFL);
		return;
	}
	siglongjmp(back, 1);
}

/* What the callback says, or -1: it faulted, and the host survived. */
NOINLINE static long call_back(function_t function, long version)
{
	long result = -1;

	guarded = 1;
	if (!sigsetjmp(back, 1))
		result = function(version);
	guarded = 0;
	return result;
}

static void keep_callback(void)
{
	int right = 0, gone = 0, survived = 0;
	void *handle;

	signal(SIGSEGV, handle_fault);
	for (int i = 0; i < times; i++) {
		handle = load_again(i);
		if (callback)
			survived += call_back(callback, 0) == -1;
		callback = (function_t)plugin_symbol(handle, "left_callback");
		right += is_build(handle, i) && call_back(callback, i % 2 + 1) == 1;
		before = object_address(handle);
		plugin_close(handle);
		gone += is_gone_soon(before);
	}
	load_again(times);
	survived += call_back(callback, 0) == -1;
	said(right, "the new build runs");
	said(gone, "the plugin goes");
	said(survived, "the host's handler gets the fault of a call of the old callback");
}

static _Atomic int stop, faults, calls;

/* Calls what the host has, whether it is there or not. */
static void *caller_run(void *unused)
{
	while (!stop) {
		function_t now = callback;

		if (call_back(now, 0) >= 0) {
			calls++;
			continue;
		}
		faults++;
		while (callback == now && !stop)
			sched_yield();
	}
	return unused;
}

static void call_meanwhile(void)
{
	int right = 0, gone = 0;
	pthread_t caller;

	signal(SIGSEGV, handle_fault);
	for (int i = 0; i < times; i++) {
		void *handle = load_beside(i);
		int called;

		right += is_build(handle, i);
		callback = (function_t)plugin_symbol(handle, "left_callback");
		if (!i && pthread_create(&caller, NULL, caller_run, NULL) != 0)
			die("pthread_create");
		for (called = calls; calls < called + 20;)
			sched_yield();
		before = object_address(handle);
		plugin_close(handle);
		gone += is_gone_soon(before);
	}
	stop = 1;
	pthread_join(caller, NULL);
	said(right, "the new build runs");
	said(gone, "the plugin goes, as soon as nobody is in it");
	dprintf(1, "faults %d\n", faults);
}

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {
	{"thread", leave_thread},
	{"key", leave_key},
	{"later", leave_for_later},
	{"signal", leave_signal},
	{"timer", leave_timer},
	{"callback", keep_callback},
	{"meanwhile", call_meanwhile},
};

int main(int argc, char **argv)
{
	watchdog(300);
	if (argc < 5)
		die("usage: reloader WHAT FOLDER FIRST.so SECOND.so [TIMES]");
	folder = argv[2];
	build[0] = argv[3];
	build[1] = argv[4];
	if (argc > 5)
		times = atoi(argv[5]);
	sem_init(&worker_go, 0, 0);
	sem_init(&worker_done, 0, 0);
	sem_init(&threads_waiting, 0, 0);
	sem_init(&threads_go[0], 0, 0);
	sem_init(&threads_go[1], 0, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].name, argv[1]))
			all[i].run();
	return 0;
}
