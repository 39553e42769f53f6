/* SPDX-License-Identifier: MIT */
#include "cli/dangling.h"

#include "cli/stay.h"
#include "elf/memory.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

const char *dangling_kind_name(unsigned int kind)
{
	static const char *const names[] = {
		[SESSION_DANGLING_MEMORY] = "memory",
		[SESSION_DANGLING_SIGNAL] = "signal",
		[SESSION_DANGLING_TIMER] = "timer",
		[SESSION_DANGLING_ON_EXIT] = "on-exit",
		[SESSION_DANGLING_QUICK_EXIT] = "quick-exit",
		[SESSION_DANGLING_ENVIRON] = "environ",
		[SESSION_DANGLING_BUFFER] = "buffer",
		[SESSION_DANGLING_OPENLOG] = "openlog",
		[SESSION_DANGLING_FORK] = "fork",
		[SESSION_DANGLING_COOKIE] = "cookie",
	};

	if (kind < sizeof(names) / sizeof(names[0]) && names[kind])
		return names[kind];
	return "unknown";
}

char *signal_text(unsigned int number)
{
	static const char *const names[] = {
		[SIGHUP] = "SIGHUP",
		[SIGINT] = "SIGINT",
		[SIGQUIT] = "SIGQUIT",
		[SIGILL] = "SIGILL",
		[SIGTRAP] = "SIGTRAP",
		[SIGABRT] = "SIGABRT",
		[SIGBUS] = "SIGBUS",
		[SIGFPE] = "SIGFPE",
		[SIGKILL] = "SIGKILL",
		[SIGUSR1] = "SIGUSR1",
		[SIGSEGV] = "SIGSEGV",
		[SIGUSR2] = "SIGUSR2",
		[SIGPIPE] = "SIGPIPE",
		[SIGALRM] = "SIGALRM",
		[SIGTERM] = "SIGTERM",
		[SIGSTKFLT] = "SIGSTKFLT",
		[SIGCHLD] = "SIGCHLD",
		[SIGCONT] = "SIGCONT",
		[SIGSTOP] = "SIGSTOP",
		[SIGTSTP] = "SIGTSTP",
		[SIGTTIN] = "SIGTTIN",
		[SIGTTOU] = "SIGTTOU",
		[SIGURG] = "SIGURG",
		[SIGXCPU] = "SIGXCPU",
		[SIGXFSZ] = "SIGXFSZ",
		[SIGVTALRM] = "SIGVTALRM",
		[SIGPROF] = "SIGPROF",
		[SIGWINCH] = "SIGWINCH",
		[SIGIO] = "SIGIO",
		[SIGPWR] = "SIGPWR",
		[SIGSYS] = "SIGSYS",
	};
	unsigned int realtime = SIGRTMIN;

	if (number < sizeof(names) / sizeof(names[0]) && names[number])
		return text_copy(names[number]);
	if (number == realtime)
		return text_copy("SIGRTMIN");
	if (number > realtime && number <= (unsigned int)SIGRTMAX)
		return text_format("SIGRTMIN+%u", number - realtime);
	return text_format("signal %u", number);
}

static char *memory_text(const struct leaks *leaks, const struct session_root *root)
{
	if (root->kind == SESSION_ROOT_HEAP)
		return text_format("a block of the host's heap at 0x%" PRIx64, root->address);
	return names_root(leaks->names, leaks->session, root);
}

static char *handler_text(uint32_t number)
{
	char *name = signal_text(number), *text = text_format("signal handler %s", name);

	free(name);
	return text;
}

char *dangling_holder_text(const struct leaks *leaks, const struct session_dangling *dangling)
{
	const char *detail = session_string(leaks->session, dangling->text);

	switch (dangling->kind) {
	case SESSION_DANGLING_MEMORY:
		return memory_text(leaks, &dangling->root);
	case SESSION_DANGLING_SIGNAL:
		return handler_text(dangling->number);
	case SESSION_DANGLING_TIMER:
		return text_copy("timer (SIGEV_THREAD)");
	case SESSION_DANGLING_ON_EXIT:
		return text_copy("on_exit");
	case SESSION_DANGLING_QUICK_EXIT:
		return text_copy("at_quick_exit");
	case SESSION_DANGLING_ENVIRON:
		return text_format("environ: %s", detail);
	case SESSION_DANGLING_BUFFER:
		return text_format("%s buffer", *detail ? detail : "stream");
	case SESSION_DANGLING_OPENLOG:
		return text_format("openlog ident%s%s", *detail ? ": " : "", detail);
	case SESSION_DANGLING_FORK:
		return text_copy("pthread_atfork");
	case SESSION_DANGLING_COOKIE:
		return text_copy("fopencookie stream");
	default:
		return text_copy("something of a newer relib");
	}
}

char *dangling_target_text(const struct leaks *leaks, const struct session_dangling *dangling)
{
	uint32_t object = session_generation(leaks->session, dangling->generation)->object;

	return names_target(leaks->names, object, dangling->target);
}

char *dangling_text(const struct leaks *leaks, const struct session_dangling *dangling)
{
	char *holder = dangling_holder_text(leaks, dangling);
	char *target = dangling_target_text(leaks, dangling);
	char *setter = place_owner_text(leaks, dangling->place), *text;

	text = text_format("%s -> %s%s%s%s", holder, target, setter ? ", set in " : "",
		setter ? setter : "", dangling->taken_back ? ", taken back" : "");
	free(holder);
	free(target);
	free(setter);
	return text;
}
