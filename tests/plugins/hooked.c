/* SPDX-License-Identifier: MIT */
/*
 * hooked HOOK PLUGIN.so: a host whose plugin leaves that hook in the C library,
 * and which uses the hook when the plugin is gone.  HOOK with a "+" after it:
 * the plugin stays loaded.
 */
#include "host.h"

#include <syslog.h>
#include <time.h>

static const char *path;
static void *handle;
static int stays;

static void say(const char *what)
{
	if (write(1, what, strlen(what)) < 0)
		die("write");
}

NOINLINE static void call(const char *function, long number)
{
	if (((long (*)(long))plugin_symbol(handle, function))(number) != 0)
		die("%s failed", function);
}

/* Unlike plugin_close it holds no address of the plugin meanwhile. */
NOINLINE static void leave(void)
{
	if (stays)
		return;
	scrub_stack();
	if (dlclose(handle) != 0 || dlopen(path, RTLD_NOW | RTLD_NOLOAD))
		die("the plugin stays");
}

NOINLINE static void leave_hook(const char *function)
{
	call(function, 0);
	scrub_stack();
	leave();
}

static void host_on_exit(int status, void *argument)
{
	(void)status;
	say(argument);
}

static void host_quick_first(void)
{
	say("first\n");
}

static void host_quick_last(void)
{
	say("last\n");
}

/* It would have fired a hundred times meanwhile. */
static void hook_timer(void)
{
	for (int i = 0; i < 20; i++) {
		call("set_timer", 100);
		leave();
		nanosleep(&(struct timespec){0, 10000000}, NULL);
		handle = plugin_open(path);
	}
	leave();
}

static void hook_own_timer(void)
{
	call("set_own_timer", 100);
	leave();
}

static void hook_on_exit(void)
{
	on_exit(host_on_exit, "last\n");
	call("set_on_exit", 0);
	on_exit(host_on_exit, "first\n");
	leave();
	exit(5);
}

/* The host asks for the plugin's function itself. */
static void hook_host_on_exit(void)
{
	on_exit((void (*)(int, void *))plugin_symbol(handle, "on_end"), "host");
	leave();
}

static void hook_quick_exit(void)
{
	at_quick_exit(host_quick_last);
	call("set_quick_exit", 0);
	at_quick_exit(host_quick_first);
	leave();
	quick_exit(6);
}

static void hook_host_quick_exit(void)
{
	at_quick_exit(host_quick_last);
	at_quick_exit((void (*)(void))plugin_symbol(handle, "on_quick"));
	at_quick_exit(host_quick_first);
	leave();
	quick_exit(6);
}

static void hook_host_atexit(void)
{
	atexit(host_quick_last);
	atexit((void (*)(void))plugin_symbol(handle, "on_atexit"));
	atexit(host_quick_first);
	leave();
}

static void hook_nobody(void)
{
	leave_hook("set_atexit_of_nobody");
}

static void environ_check(void)
{
	const char *value = getenv("RELIB_HOOK");

	say(value && !strcmp(value, "from the plugin") ? "getenv\n" : "wrong\n");
	if (system("test \"$RELIB_HOOK\" = 'from the plugin'") == 0)
		say("system\n");
	setenv("RELIB_HOOK", "from the host", 1);
	value = getenv("RELIB_HOOK");
	say(value && !strcmp(value, "from the host") ? "setenv\n" : "wrong\n");
	unsetenv("RELIB_HOOK");
	say(getenv("RELIB_HOOK") ? "wrong\n" : "unsetenv\n");
}

static void hook_environ(void)
{
	leave_hook("set_environ");
	environ_check();
}

static void hook_environ_array(void)
{
	leave_hook("set_environ_array");
	environ_check();
}

static void hook_stdout(void)
{
	leave_hook("set_stdout");
	printf("two\n");
}

static void hook_stderr(void)
{
	leave_hook("set_stderr");
	fprintf(stderr, "two\n");
	fflush(stderr);
}

static void hook_stdin(void)
{
	char line[64];

	leave_hook("set_stdin");
	while (fgets(line, sizeof(line), stdin))
		say(line);
}

static void hook_openlog(void)
{
	leave_hook("set_openlog");
	syslog(LOG_INFO, "said by the host");
}

static void hook_openlog_closed(void)
{
	leave_hook("set_openlog_closed");
}

/* Twenty times all that can be set again. */
static void hook_all(void)
{
	for (int i = 0; i < 20; i++) {
		call("set_timer", 100);
		call("set_on_exit", 0);
		call("set_quick_exit", 0);
		call("set_environ", 0);
		call("set_stdout", 0);
		call("set_openlog", 0);
		leave();
		handle = plugin_open(path);
	}
	leave();
	printf("\n");
}

static const struct hook {
	const char *name;
	void (*use)(void);
} hooks[] = {
	{"timer", hook_timer},
	{"own_timer", hook_own_timer},
	{"on_exit", hook_on_exit},
	{"host_on_exit", hook_host_on_exit},
	{"quick_exit", hook_quick_exit},
	{"host_quick_exit", hook_host_quick_exit},
	{"host_atexit", hook_host_atexit},
	{"nobody", hook_nobody},
	{"environ", hook_environ},
	{"environ_array", hook_environ_array},
	{"stdout", hook_stdout},
	{"stderr", hook_stderr},
	{"stdin", hook_stdin},
	{"openlog", hook_openlog},
	{"openlog_closed", hook_openlog_closed},
	{"all", hook_all},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	const struct hook *hook = hooks;
	size_t length;

	watchdog(120);
	if (argc != 3)
		die("usage: hooked HOOK[+] PLUGIN.so");
	length = strcspn(argv[1], "+");
	stays = argv[1][length] == '+';
	while (hook->name && (strncmp(hook->name, argv[1], length) || hook->name[length]))
		hook++;
	if (!hook->name)
		die("no hook %s", argv[1]);
	path = argv[2];
	handle = plugin_open(path);
	hook->use();
	return 0;
}
