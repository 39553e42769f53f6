/* SPDX-License-Identifier: MIT */
/*
 * A host that goes on using a plugin that it has unloaded.
 *
 *	latecaller MODE PLUGIN [PLUGIN]
 */
#include "host.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

static void (*callback)(int);
static volatile int *variable;
static volatile int *volatile nowhere = (volatile int *)16;
static volatile int without_end = 1;

static void load_and_unload(const char *path)
{
	void *handle = plugin_open(path);

	callback = (void (*)(int))((void *(*)(void))plugin_symbol(handle, "ticker_callback"))();
	variable = ((int *(*)(void))plugin_symbol(handle, "ticker_variable"))();
	if (!plugin_close(handle))
		die("the plugin stays");
}

NOINLINE static void host_loop(int n)
{
	callback(n);
	NOT_A_TAIL_CALL();
}

NOINLINE static void *worker(void *unused)
{
	pthread_setname_np(pthread_self(), "worker");
	host_loop(1);
	NOT_A_TAIL_CALL();
	return unused;
}

NOINLINE static int host_read(void)
{
	return variable[0];
}

NOINLINE static void host_write(void)
{
	variable[0] = 1;
}

/* --- the host's own handler ---------------------------------------------- */

static sigjmp_buf back;
static volatile sig_atomic_t handled, was_masked, usr1_masked, children;
static void *volatile fault_address, *volatile fault_pc, *volatile handler_stack;
static char signal_stack[65536] __attribute__((aligned(16)));
static char *main_stack;

static void handle_back(int number, siginfo_t *info, void *context)
{
	sigset_t mask;

	handled++;
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	was_masked = sigismember(&mask, number);
	usr1_masked = sigismember(&mask, SIGUSR1) + 2 * sigismember(&mask, SIGUSR2);
	fault_address = info->si_addr;
	fault_pc = (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
	handler_stack = &mask;
	siglongjmp(back, 1);
}

static void handle_plain(int number)
{
	handled += number == SIGSEGV;
	siglongjmp(back, 1);
}

/* The call is as if it had returned at once. */
static void handle_repair(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number;
	(void)info;
	handled++;
	registers[REG_RIP] = *(greg_t *)registers[REG_RSP];
	registers[REG_RSP] += 8;
}

static void handle_set(void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO };

	sigaddset(&action.sa_mask, SIGUSR1);
	if (sigaction(SIGSEGV, &action, NULL))
		die("sigaction");
}

static int on_signal_stack(void)
{
	return (char *)handler_stack >= signal_stack &&
	       (char *)handler_stack < signal_stack + sizeof(signal_stack);
}

static void late_call_caught(void)
{
	if (!sigsetjmp(back, 1))
		host_loop(1);
}

static void caught(void)
{
	const stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	struct sigaction now;

	handle_set(handle_back, 0);
	late_call_caught();
	verdict(handled == 1, "the handler gets control");
	verdict(fault_address == (void *)callback, "with the address of the late call");
	verdict(fault_pc == (void *)callback, "and the registers of that moment");
	verdict(was_masked && usr1_masked == 1, "with the signals blocked that it wants");
	sigaltstack(&stack, NULL);
	late_call_caught();
	verdict(handled == 2 && !on_signal_stack() && (char *)handler_stack < main_stack &&
			main_stack - (char *)handler_stack < 65536,
		"on the stack of the thread");
	handle_set(handle_back, SA_ONSTACK);
	late_call_caught();
	verdict(handled == 3 && on_signal_stack(), "SA_ONSTACK: on the signal stack");
	handle_set(handle_back, SA_NODEFER);
	late_call_caught();
	verdict(handled == 4 && !was_masked && usr1_masked == 1, "SA_NODEFER: it may be interrupted");
	handle_set(handle_back, SA_RESETHAND);
	late_call_caught();
	sigaction(SIGSEGV, NULL, &now);
	verdict(handled == 5 && now.sa_handler == SIG_DFL, "SA_RESETHAND: once only");
	signal(SIGSEGV, handle_plain);
	late_call_caught();
	verdict(handled == 6, "a handler set by signal() gets control");
	handle_set(handle_back, 0);
	if (!sigsetjmp(back, 1))
		(void)*nowhere;
	verdict(handled == 7 && fault_address == (void *)16, "other faults get there too");
	if (!sigsetjmp(back, 1))
		raise(SIGSEGV);
	verdict(handled == 8, "and signals that were sent");
	if (!sigsetjmp(back, 1))
		host_write();
	verdict(handled == 9 && fault_address == (void *)variable, "and late uses of data");
	handle_set(handle_repair, 0);
	handled = 0;
	for (int i = 0; i < 10000; i++)
		host_loop(i);
	verdict(handled == 10000, "a handler that returns is obeyed, 10,000 times");
	handled = 0;
	for (int i = 0; i < 200; i++) {
		host_loop(i);
		callback = (void (*)(int))((char *)callback + 1);
	}
	verdict(handled == 200, "wherever it was");
}

/* --- other faults --------------------------------------------------------- */

NOINLINE static int overflow(int depth)
{
	volatile char area[4096];

	area[0] = (char)depth;
	return (without_end ? overflow(depth + 1) : 0) + area[0];
}

static void overflowing(int caught_too)
{
	const stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };
	const struct rlimit limit = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_STACK, &limit);
	sigaltstack(&stack, NULL);
	if (caught_too)
		handle_set(handle_back, caught_too == 1 ? SA_ONSTACK : 0);
	if (!sigsetjmp(back, 1))
		overflow(0);
	verdict(handled == 1 && on_signal_stack(), "a stack overflow is handled on the signal stack");
}

/* As small as programs make them, with nothing below that could be overwritten unseen. */
static void small_stack(void)
{
	char *area = mmap(NULL, 3 * 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const stack_t stack = { .ss_sp = area + 8192, .ss_size = 8192 };
	size_t unused = 0;

	if (mprotect(area + 8192, 8192, PROT_READ | PROT_WRITE))
		die("mprotect");
	sigaltstack(&stack, NULL);
	handle_set(handle_back, SA_ONSTACK);
	late_call_caught();
	while (unused < 8192 && !area[8192 + unused])
		unused++;
	verdict(handled == 1 && (char *)handler_stack > area, "a signal stack of 8 KiB is enough");
	dprintf(1, "unused %d\n", (int)unused);
}

/* --- what the host could see of the naming -------------------------------- */

static void count_child(int number)
{
	children += number == SIGCHLD;
}

static int open_files(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void *wait_for_all(void *stop)
{
	while (!__atomic_load_n((int *)stop, __ATOMIC_ACQUIRE))
		if (waitpid(-1, NULL, WNOHANG) > 0)
			children += 1000;
	return NULL;
}

static void watched(void)
{
	struct sigaction on_child = { .sa_handler = count_child };
	int files = open_files(), stop = 0;
	pthread_t waiter;

	sigaction(SIGCHLD, &on_child, NULL);
	pthread_create(&waiter, NULL, wait_for_all, &stop);
	handle_set(handle_back, 0);
	late_call_caught();
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	pthread_join(waiter, NULL);
	verdict(handled == 1, "the late call is handled");
	verdict(children == 0, "no child ends for the host");
	verdict(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD, "it has no child left");
	verdict(open_files() == files, "no file stays open");
}

static void forked(void)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid)
		host_loop(1);
	waitpid(pid, &status, 0);
	verdict(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "the child dies of it");
	dprintf(1, "child %d\n", (int)pid);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[1] : "";
	pthread_t thread;
	char here;

	main_stack = &here;
	watchdog(120);
	if (argc < 3)
		die("usage: latecaller MODE PLUGIN [PLUGIN]");
	load_and_unload(argv[2]);
	if (argc > 3)
		plugin_open(argv[3]);
	if (!strcmp(mode, "call"))
		host_loop(1);
	else if (!strcmp(mode, "thread"))
		pthread_create(&thread, NULL, worker, NULL), pthread_join(thread, NULL);
	else if (!strcmp(mode, "read"))
		host_read();
	else if (!strcmp(mode, "write"))
		host_write();
	else if (!strcmp(mode, "caught"))
		caught();
	else if (!strcmp(mode, "small-stack"))
		small_stack();
	else if (!strcmp(mode, "overflow"))
		overflowing(0);
	else if (!strcmp(mode, "overflow-caught"))
		overflowing(1);
	else if (!strcmp(mode, "overflow-lost"))
		overflowing(2);
	else if (!strcmp(mode, "watched"))
		watched();
	else if (!strcmp(mode, "forked"))
		forked();
	else if (!strcmp(mode, "other"))
		(void)*nowhere;
	return 0;
}
