/* SPDX-License-Identifier: MIT */
/*
 * A host whose threads and plugins' threads are held where a test wants them
 * (see waiter.h).  One command a line on standard input, one answer a line.
 *
 *	load NAME PATH [FLAG...]	FLAG: lazy, global, nodelete
 *	again NAME		dlopen of the same path; "ok same" or "ok other"
 *	close NAME		"ok RESULT mapped" or "ok RESULT gone"
 *	mapped NAME		"ok mapped" or "ok gone"
 *	call NAME FUNCTION [NUMBER]	"ok RESULT" of long FUNCTION(long)
 *	thread SLOT NAME FUNCTION [KIND]	a thread of the host's calls it, up to where it is
 *held arrived SLOT		waits until a thread is held there release SLOT join SLOT
 *of a thread of ours: "ok RESULT mapped|gone", as of its return cancel SLOT
 *	ended SLOT		waits for the end of a thread that cannot be joined
 *	log			"ok WORDS" noted since
 *	error			what dlerror says
 *	missing			a dlopen that fails
 *	fork NAME FUNCTION	what a child gets from it; "ok RESULT STATUS"
 *	raise NUMBER		"ok COUNT" of such signals that our handler saw, with this one
 *	handle NUMBER
 *	exit STATUS
 */
#include "waiter.h"
#include "host.h"

#include <complex.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define SLOTS 64
#define NAMES 16

static struct slot {
	sem_t arrived, go;
	pthread_t thread;
	pid_t tid;
	int ours, gone;
	long result;
	void *function;
	char kind[16];
	uintptr_t address;
	jmp_buf back;
} slots[SLOTS];

static struct name {
	char name[16], path[400];
	void *handle;
	uintptr_t address;
} names[NAMES];

static char words[4000];
static pthread_mutex_t words_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t signals_seen;
static __thread struct slot *mine;

void host_note(const char *word)
{
	pthread_mutex_lock(&words_lock);
	if (strlen(words) + strlen(word) + 2 < sizeof(words)) {
		strcat(words, " ");
		strcat(words, word);
	}
	pthread_mutex_unlock(&words_lock);
}

void host_hold(long slot)
{
	slots[slot].tid = gettid();
	sem_post(&slots[slot].arrived);
	while (sem_wait(&slots[slot].go) != 0)
		;
}

void host_arrived(long slot)
{
	while (sem_wait(&slots[slot].arrived) != 0)
		;
}

void host_thread(long slot, pthread_t thread)
{
	slots[slot].thread = thread;
}

static struct name *name_of(const char *word)
{
	for (int i = 0; i < NAMES; i++)
		if (!strcmp(names[i].name, word))
			return &names[i];
	die("no plugin is called %s", word);
}

void *host_handle(const char *name)
{
	return name_of(name)->handle;
}

NOINLINE long host_through(long (*function)(long), long number)
{
	long result = function(number);

	NOT_A_TAIL_CALL();
	return result;
}

NOINLINE int host_close(const char *name)
{
	int result = dlclose(name_of(name)->handle);

	NOT_A_TAIL_CALL();
	return result;
}

void host_jump(void)
{
	longjmp(mine->back, 1);
}

/* Each way in which a function gives a result: 1 when it is whole. */
NOINLINE static long call_by_kind(const char *kind, void *function, long number)
{
	if (!strcmp(kind, "double"))
		return ((double (*)(long))function)(number) == number + 0.25;
	if (!strcmp(kind, "longdouble"))
		return ((long double (*)(long))function)(number) == number + 0.125L;
	if (!strcmp(kind, "int128"))
		return ((__int128 (*)(long))function)(number) == ((__int128)number << 64) + 77;
	if (!strcmp(kind, "complex")) {
		complex double got = ((complex double (*)(long))function)(number);

		return creal(got) == number && cimag(got) == -0.5;
	}
	if (!strcmp(kind, "float128")) {
		__float128 got = ((__float128 (*)(long))function)(number);

		return got == (__float128)number + 0.0625;
	}
	if (!strcmp(kind, "catch"))
		return host_catch((long (*)(long))function, number);
	return ((long (*)(long))function)(number);
}

static void *thread_run(void *data)
{
	struct slot *slot = data;

	mine = slot;
	if (setjmp(slot->back))
		slot->result = -7;
	else
		slot->result = call_by_kind(slot->kind, slot->function, slot - slots);
	slot->gone = !address_is_loaded(slot->address);
	if (!strcmp(slot->kind, "stay"))
		host_hold(slot - slots);
	return NULL;
}

static void thread_make(long number, const char *name, const char *function, const char *kind)
{
	struct slot *slot = &slots[number];

	slot->ours = 1;
	slot->address = name_of(name)->address;
	slot->function = plugin_symbol(name_of(name)->handle, function);
	snprintf(slot->kind, sizeof(slot->kind), "%s", kind);
	if (pthread_create(&slot->thread, NULL, thread_run, slot) != 0)
		die("pthread_create");
	host_arrived(number);
	dprintf(1, "ok\n");
}

static int flags_of(const char *flags)
{
	return (strstr(flags, "lazy") ? RTLD_LAZY : RTLD_NOW) |
	       (strstr(flags, "global") ? RTLD_GLOBAL : 0) |
	       (strstr(flags, "nodelete") ? RTLD_NODELETE : 0);
}

NOINLINE static void load(const char *word, const char *path, const char *flags)
{
	struct name *name = NULL;

	for (int i = 0; i < NAMES && !name; i++)
		if (!names[i].name[0] || !strcmp(names[i].name, word))
			name = &names[i];
	snprintf(name->name, sizeof(name->name), "%s", word);
	snprintf(name->path, sizeof(name->path), "%s", path);
	name->handle = dlopen(path, flags_of(flags));
	if (!name->handle) {
		dprintf(1, "error %s\n", dlerror());
		return;
	}
	name->address = object_address(name->handle);
	dprintf(1, "ok\n");
}

NOINLINE static void again(struct name *name)
{
	void *handle = dlopen(name->path, RTLD_NOW);
	int same = handle == name->handle;

	name->handle = handle;
	dprintf(1, "ok %s\n", same ? "same" : "other");
}

static const char *state_of(uintptr_t address)
{
	return address_is_loaded(address) ? "mapped" : "gone";
}

static void close_it(struct name *name)
{
	int result = dlclose(name->handle);

	dprintf(1, "ok %d %s\n", result, state_of(name->address));
}

static void join(struct slot *slot)
{
	pthread_join(slot->thread, NULL);
	if (slot->ours)
		dprintf(1, "ok %ld %s\n", slot->result, slot->gone ? "gone" : "mapped");
	else
		dprintf(1, "ok\n");
	slot->ours = 0;
}

static void on_signal(int number)
{
	(void)number;
	signals_seen++;
}

static void forked(struct name *name, const char *function)
{
	long (*symbol)(long) = (long (*)(long))plugin_symbol(name->handle, function);
	int status, ends[2];
	long result = 0;

	if (pipe(ends) != 0)
		die("pipe");
	if (fork() == 0) {
		result = symbol(1);
		if (write(ends[1], &result, sizeof(result)) < 0)
			_exit(98);
		exit(3);
	}
	close(ends[1]);
	if (read(ends[0], &result, sizeof(result)) < 0)
		die("read");
	close(ends[0]);
	wait(&status);
	dprintf(1, "ok %ld %d\n", result,
		WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
}

static void error_tell(void)
{
	const char *text = dlerror();

	dprintf(1, "ok %s\n", text ? text : "none");
}

static void ended(const struct slot *slot)
{
	while (syscall(SYS_tgkill, getpid(), slot->tid, 0) == 0)
		usleep(1000);
	dprintf(1, "ok\n");
}

static void arrived(long slot)
{
	host_arrived(slot);
	dprintf(1, "ok\n");
}

static int obey_slot(char word[][400], int count)
{
	struct slot *slot = count > 1 && atol(word[1]) < SLOTS ? &slots[atol(word[1])] : NULL;

	if (!slot)
		return 0;
	if (!strcmp(word[0], "thread") && count >= 4)
		thread_make(slot - slots, word[2], word[3], word[4]);
	else if (!strcmp(word[0], "release"))
		dprintf(1, "ok %d\n", sem_post(&slot->go));
	else if (!strcmp(word[0], "arrived"))
		arrived(slot - slots);
	else if (!strcmp(word[0], "tid"))
		dprintf(1, "ok %d\n", slot->tid);
	else if (!strcmp(word[0], "join"))
		join(slot);
	else if (!strcmp(word[0], "cancel"))
		dprintf(1, "ok %d\n", pthread_cancel(slot->thread));
	else if (!strcmp(word[0], "ended"))
		ended(slot);
	else
		return 0;
	return 1;
}

static int obey_name(char word[][400], int count)
{
	if (!strcmp(word[0], "load") && count >= 3) {
		load(word[1], word[2], word[3]);
	} else if (!strcmp(word[0], "again")) {
		again(name_of(word[1]));
	} else if (!strcmp(word[0], "close")) {
		close_it(name_of(word[1]));
	} else if (!strcmp(word[0], "mapped")) {
		dprintf(1, "ok %s\n", state_of(name_of(word[1])->address));
	} else if (!strcmp(word[0], "fork")) {
		forked(name_of(word[1]), word[2]);
	} else if (!strcmp(word[0], "call") && count >= 3) {
		void *function = plugin_symbol(name_of(word[1])->handle, word[2]);

		dprintf(1, "ok %ld\n", call_by_kind("long", function, atol(word[3])));
	} else {
		return 0;
	}
	return 1;
}

static void obey(const char *line)
{
	char word[5][400] = {""};
	int count = sscanf(
		line, "%399s %399s %399s %399s %399s", word[0], word[1], word[2], word[3], word[4]);

	if (!strcmp(word[0], "log")) {
		dprintf(1, "ok%s\n", words);
		words[0] = 0;
	} else if (!strcmp(word[0], "error")) {
		error_tell();
	} else if (!strcmp(word[0], "missing")) {
		dprintf(1, "ok %d\n", dlopen("/nonexistent/library.so", RTLD_NOW) != NULL);
	} else if (!strcmp(word[0], "handle")) {
		signal(atoi(word[1]), on_signal);
		dprintf(1, "ok\n");
	} else if (!strcmp(word[0], "raise")) {
		raise(atoi(word[1]));
		dprintf(1, "ok %d\n", (int)signals_seen);
	} else if (!strcmp(word[0], "exit")) {
		exit(atoi(word[1]));
	} else if (!obey_name(word, count) && !obey_slot(word, count)) {
		dprintf(1, "error cannot: %s\n", line);
	}
}

int main(void)
{
	char line[2048];

	watchdog(120);
	for (int i = 0; i < SLOTS; i++) {
		sem_init(&slots[i].arrived, 0, 0);
		sem_init(&slots[i].go, 0, 0);
	}
	while (read_command(line, sizeof(line))) {
		obey(line);
		scrub_stack();
	}
	return 0;
}
