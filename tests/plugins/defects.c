/* SPDX-License-Identifier: MIT */
/*
 * defects WHAT PLUGIN.so [OTHER.so]: a host whose plugins are hard to load or
 * to unload.  Built with throws.cc.
 */
#include "host.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>

void *open_caught(const char *path, int *caught);
void host_reached(void);
void host_wait(void);

static sem_t reached, go;
static const char *plugin_path, *other_path;

void host_reached(void)
{
	sem_post(&reached);
}

void host_wait(void)
{
	sem_wait(&go);
}

NOINLINE static long call(void *handle, const char *name, long number)
{
	long result = ((long (*)(long))plugin_symbol(handle, name))(number);

	NOT_A_TAIL_CALL();
	return result;
}

static int is_gone_soon(uintptr_t address)
{
	for (int i = 0; i < 1000000 && address_is_loaded(address); i++)
		sched_yield();
	return !address_is_loaded(address);
}

/* A thread of the plugin's, stopped where it is named, and then let go. */
static void unload_deferred(const char *start, const char *what)
{
	void *handle = plugin_open(plugin_path);
	uintptr_t address = object_address(handle);
	char text[100];

	if (call(handle, start, 0) != 0)
		die("%s failed", start);
	sem_wait(&reached);
	snprintf(text, sizeof(text), "%s: the unload is put off", what);
	verdict(dlclose(handle) == 0 && address_is_loaded(address), text);
	sem_post(&go);
	snprintf(text, sizeof(text), "%s: it is done when the thread is over", what);
	verdict(is_gone_soon(address), text);
}

/* The one destructor is over, and the other still to come. */
static void unload_between(void)
{
	void *handle = plugin_open(plugin_path);
	uintptr_t address = object_address(handle);

	if (call(handle, "start_slow_both", 0) != 0)
		die("start_slow_both failed");
	sem_wait(&reached);
	dlclose(handle);
	sem_post(&go);
	sem_wait(&reached);
	verdict(address_is_loaded(address), "between its destructors a thread is not over");
	sem_post(&go);
	verdict(is_gone_soon(address), "behind the last it is");
}

static void deferred(void)
{
	unload_deferred("start_waiting", "a thread that runs");
	unload_deferred("start_slow_local", "a thread in a thread-local destructor");
	unload_deferred("start_slow_key", "a thread in a key destructor");
	unload_between();
}

static int is_refused(void *handle)
{
	const char *said;

	if (dlclose(handle) != -1)
		return 0;
	said = dlerror();
	dprintf(1, "# %s\n", said ? said : "nothing");
	return said && strstr(said, "1 thread is in the way") && !dlerror();
}

static void unload_refused(const char *start, const char *what)
{
	void *handle = plugin_open(plugin_path);
	uintptr_t address = object_address(handle);
	char text[100];
	int tries = 0;

	if (call(handle, start, 0) != 0)
		die("%s failed", start);
	sem_wait(&reached);
	snprintf(text, sizeof(text), "%s: the unload is refused, and again", what);
	verdict(is_refused(handle) && is_refused(handle), text);
	snprintf(text, sizeof(text), "%s: the plugin is whole meanwhile", what);
	verdict(address_is_loaded(address) && call(handle, "leak", 0) == 0, text);
	sem_post(&go);
	while (dlclose(handle) != 0 && tries++ < 1000000)
		sched_yield();
	snprintf(text, sizeof(text), "%s: and succeeds when the thread is over", what);
	verdict(!address_is_loaded(address), text);
}

static void refused(void)
{
	unload_refused("start_waiting", "a thread that runs");
	unload_refused("start_slow_local", "a thread in a thread-local destructor");
	unload_refused("start_slow_key", "a thread in a key destructor");
}

/* --- loads that fail -------------------------------------------------------- */

static sigjmp_buf back;

static void handle_fault(int number)
{
	(void)number;
	siglongjmp(back, 1);
}

static void load_unload(const char *what)
{
	void *handle = plugin_open(other_path);

	call(handle, "leak", 3);
	verdict(plugin_close(handle), what);
}

static void throwing(void)
{
	int caught;

	verdict(!open_caught(plugin_path, &caught) && caught == 42,
		"a constructor's exception gets to the host");
	load_unload("after it another plugin loads and unloads");
	load_unload("and again");
}

static void crashing(void)
{
	signal(SIGSEGV, handle_fault);
	if (!sigsetjmp(back, 1))
		dlopen(plugin_path, RTLD_NOW);
	else
		verdict(1, "the host survives a constructor that crashes");
	load_unload("after it another plugin loads and unloads");
	load_unload("and again");
}

static void lacking(void)
{
	for (int i = 0; i < 3; i++) {
		const char *said;
		int failed = !dlopen(plugin_path, RTLD_NOW);

		said = dlerror();
		verdict(failed && said && strstr(said, "undefined symbol"),
			"a symbol that is missing is told");
		load_unload("after it another plugin loads and unloads");
	}
}

/* What dlerror says of failures, to be compared with what it says without relib. */
static void saying(void)
{
	void *handle = plugin_open(plugin_path);

	dprintf(1, "%d ", !dlsym(handle, "there_is_no_such_symbol"));
	dprintf(1, "%s\n", dlerror());
	dprintf(1, "%d\n", !dlerror());
	dprintf(1, "%d ", !dlvsym(handle, "leak", "NO_SUCH_VERSION"));
	dprintf(1, "%s\n", dlerror());
	dprintf(1, "%d ", !dlopen("/nonexistent/plugin.so", RTLD_NOW));
	dprintf(1, "%s\n", dlerror());
	dprintf(1, "%d ", !dlopen("/dev/null", RTLD_NOW));
	dprintf(1, "%s\n", dlerror());
	dprintf(1, "%d", dlclose(handle));
	dprintf(1, "%d\n", !dlerror());
}

/* --- threads ---------------------------------------------------------------- */

static void *create_many(void *handle)
{
	for (int i = 0; i < 50; i++)
		if (call(handle, "start_many", 4) != 4)
			die("not a third of the threads failed");
	return NULL;
}

/* From four threads at once; every other time they go on while it is unloaded. */
static void creating(void)
{
	pthread_t creators[4];
	int gone = 0;

	for (int round = 0; round < 20; round++) {
		void *handle = plugin_open(plugin_path);
		uintptr_t address = object_address(handle);

		for (int i = 0; i < 4; i++)
			pthread_create(&creators[i], NULL, create_many, handle);
		if (round % 2)
			while (dlclose(handle) != 0)
				if (!dlopen(plugin_path, RTLD_NOW | RTLD_NOLOAD) ||
					dlclose(handle) == 0)
					sched_yield();
		for (int i = 0; i < 4; i++)
			pthread_join(creators[i], NULL);
		if (round % 2 == 0)
			while (dlclose(handle) != 0)
				sched_yield();
		gone += is_gone_soon(address);
	}
	verdict(gone == 20, "it is unloaded when they are over");
}

static const struct {
	const char *name;
	void (*run)(void);
} all[] = {
	{"deferred", deferred},
	{"refused", refused},
	{"throwing", throwing},
	{"crashing", crashing},
	{"lacking", lacking},
	{"saying", saying},
	{"creating", creating},
};

int main(int argc, char **argv)
{
	watchdog(120);
	if (argc < 3)
		die("usage: defects WHAT PLUGIN.so [OTHER.so]");
	plugin_path = argv[2];
	other_path = argc > 3 ? argv[3] : NULL;
	sem_init(&reached, 0, 0);
	sem_init(&go, 0, 0);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(all[i].name, argv[1]))
			all[i].run();
	return 0;
}
