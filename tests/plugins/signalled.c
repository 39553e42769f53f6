/* SPDX-License-Identifier: MIT */
/*
 * A host whose plugin sets signal handlers.
 *
 *	signalled taken PLUGIN PLUGIN	what becomes of them when it goes
 *	signalled same PLUGIN		SIGSEGV is the host's, as without relib
 */
#include "host.h"

#include <signal.h>
#include <sys/mman.h>

extern int __sigaction(int, const struct sigaction *, struct sigaction *);
extern __sighandler_t bsd_signal(int, __sighandler_t);
extern __sighandler_t __sysv_signal(int, __sighandler_t);

static volatile sig_atomic_t seen;

static void host_handler(int number)
{
	seen = number;
}

static void other_handler(int number)
{
	seen = -number;
}

static void set_action(int number, void (*handler)(int), int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(number, &action, NULL);
}

static int is_now(int number, void (*handler)(int), int flags)
{
	struct sigaction now;

	sigaction(number, NULL, &now);
	return now.sa_handler == handler && (now.sa_flags & ~0x04000000) == flags &&
	       sigismember(&now.sa_mask, SIGUSR2) == (flags != 0);
}

static void handle(void *plugin, int number, int too)
{
	((void (*)(int, int))plugin_symbol(plugin, "ticker_handle"))(number, too);
}

static void handle_by(void *plugin, int number, void *set)
{
	((void (*)(int, void *))plugin_symbol(plugin, "ticker_handle_by"))(number, set);
}

static void close_well(void *plugin)
{
	if (!plugin_close(plugin))
		die("the plugin stays");
}

static void one_plugin(const char *path)
{
	void *plugin = plugin_open(path);

	set_action(SIGUSR1, host_handler, SA_RESTART);
	signal(SIGTERM, SIG_IGN);
	handle(plugin, SIGUSR1, 0);
	handle(plugin, SIGUSR1, 1);
	handle(plugin, SIGTERM, 0);
	handle(plugin, SIGWINCH, 0);
	handle(plugin, SIGRTMIN + 1, 1);
	handle(plugin, SIGALRM, 0);
	set_action(SIGALRM, other_handler, SA_RESTART);
	close_well(plugin);
	verdict(is_now(SIGUSR1, host_handler, SA_RESTART),
		"the host's handler is back, with its flags and mask");
	raise(SIGUSR1);
	verdict(seen == SIGUSR1, "and is called");
	verdict(signal(SIGTERM, SIG_DFL) == SIG_IGN, "what was ignored is ignored again");
	raise(SIGWINCH);
	verdict(is_now(SIGWINCH, SIG_DFL, 0), "without one before it is the default");
	verdict(is_now(SIGRTMIN + 1, SIG_DFL, 0), "real-time signals are taken back too");
	verdict(is_now(SIGALRM, other_handler, SA_RESTART),
		"what the host set afterwards stays");
}

static void each_function(const char *path)
{
	static const struct {
		const char *name;
		void *set;
	} functions[] = {
		{ "signal", signal },
		{ "bsd_signal", bsd_signal },
		{ "ssignal", ssignal },
		{ "sysv_signal", sysv_signal },
		{ "__sysv_signal", __sysv_signal },
		{ "sigset", sigset },
	};

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *plugin = plugin_open(path);
		char text[64];

		set_action(SIGUSR1, host_handler, SA_RESTART);
		handle_by(plugin, SIGUSR1, functions[i].set);
		close_well(plugin);
		snprintf(text, sizeof(text), "%s: the host's handler is back", functions[i].name);
		verdict(is_now(SIGUSR1, host_handler, SA_RESTART), text);
	}
}

static void two_plugins(const char *path, const char *other_path)
{
	void *first = plugin_open(path), *second = plugin_open(other_path);
	void *handler = ((void *(*)(void))plugin_symbol(second, "ticker_handler"))();

	set_action(SIGUSR1, host_handler, SA_RESTART);
	handle(first, SIGUSR1, 0);
	handle(second, SIGUSR1, 0);
	close_well(first);
	verdict(is_now(SIGUSR1, (void (*)(int))handler, 0), "another plugin's handler stays");
	close_well(second);
	verdict(is_now(SIGUSR1, host_handler, SA_RESTART),
		"what it had replaced is gone, so the host's is back");
	first = plugin_open(path);
	second = plugin_open(other_path);
	handle(first, SIGUSR1, 0);
	handle(second, SIGUSR1, 0);
	close_well(second);
	close_well(first);
	verdict(is_now(SIGUSR1, host_handler, SA_RESTART), "in the other order as well");
}

static void segv_taken(const char *path)
{
	void *plugin;

	set_action(SIGSEGV, host_handler, SA_RESTART);
	plugin = plugin_open(path);
	handle(plugin, SIGSEGV, 0);
	close_well(plugin);
	verdict(is_now(SIGSEGV, host_handler, SA_RESTART), "SIGSEGV: the host's handler is back");
	raise(SIGSEGV);
	verdict(seen == SIGSEGV, "SIGSEGV: and is called");
	signal(SIGSEGV, SIG_DFL);
	plugin = plugin_open(path);
	handle_by(plugin, SIGSEGV, signal);
	close_well(plugin);
	verdict(signal(SIGSEGV, SIG_DFL) == SIG_DFL, "SIGSEGV: or the default");
}

static void segv_same(void)
{
	struct sigaction old;
	sigset_t mask;

	set_action(SIGSEGV, host_handler, SA_RESTART | SA_ONSTACK);
	verdict(is_now(SIGSEGV, host_handler, SA_RESTART | SA_ONSTACK),
		"sigaction reports what it set");
	verdict(signal(SIGSEGV, other_handler) == host_handler, "signal returns the one before");
	verdict(sysv_signal(SIGSEGV, host_handler) == other_handler, "so does sysv_signal");
	sigaction(SIGSEGV, NULL, &old);
	verdict((old.sa_flags & SA_RESETHAND) && (old.sa_flags & SA_NODEFER),
		"which sets a handler for once");
	raise(SIGSEGV);
	verdict(seen == SIGSEGV && signal(SIGSEGV, SIG_IGN) == SIG_DFL,
		"and after that there is none");
	seen = 0;
	raise(SIGSEGV);
	verdict(seen == 0, "SIG_IGN is obeyed");
	verdict(sigset(SIGSEGV, SIG_HOLD) == SIG_IGN, "sigset holds the signal");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	verdict(sigismember(&mask, SIGSEGV) == 1, "it is blocked then");
	verdict(sigset(SIGSEGV, host_handler) == SIG_HOLD, "sigset says that it was");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	verdict(sigismember(&mask, SIGSEGV) == 0, "it is not blocked any more");
	siginterrupt(SIGSEGV, 0);
	sigaction(SIGSEGV, NULL, &old);
	verdict(old.sa_handler == host_handler && (old.sa_flags & SA_RESTART),
		"siginterrupt changes the host's flags");
	verdict(__sigaction(SIGSEGV, &old, NULL) == 0 && sigignore(SIGSEGV) == 0 &&
			signal(SIGSEGV, host_handler) == SIG_IGN,
		"sigignore ignores it");
	errno = 0;
	verdict(signal(SIGKILL, host_handler) == SIG_ERR && errno == EINVAL &&
			sigaction(0, &old, NULL) < 0 && sigaction(99, NULL, &old) < 0,
		"what is wrong is refused");
}

int main(int argc, char **argv)
{
	watchdog(60);
	if (argc < 3)
		die("usage: signalled taken|same PLUGIN [PLUGIN]");
	if (!strcmp(argv[1], "taken") && argc > 3) {
		one_plugin(argv[2]);
		each_function(argv[2]);
		two_plugins(argv[2], argv[3]);
		segv_taken(argv[2]);
		/* dies of it, as without the plugin */
		raise(SIGRTMIN + 1);
	} else {
		close_well(plugin_open(argv[2]));
		segv_same();
	}
	return 0;
}
