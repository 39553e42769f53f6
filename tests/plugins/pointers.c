/* SPDX-License-Identifier: MIT */
/*
 * pointers PLACE PLUGIN.so POINTING.so [OTHER.so]: a host that keeps pointers
 * into PLUGIN.so in one place only while it closes it, and says "ok".
 *
 * Every step is a function of its own, after which the dead stack is wiped,
 * unless that is the place under test.
 */
#include "host.h"

#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

static void *handle, *other_handle, *pointing;
static const char *plugin_path, *other_path;

/* Here the host keeps what it was given. */
void *handlers[4];
void *many[3000];
static __thread void *local;
static void **heap, **mapping;

static sem_t held, over;

NOINLINE static void close_plugin(void)
{
	if (dlclose(handle) != 0)
		die("dlclose: %s", dlerror());
}

NOINLINE static void keep(void **at, const char *name)
{
	*at = plugin_symbol(handle, name);
}

NOINLINE static void place_clean(void)
{
	((void *(*)(void *))plugin_symbol(handle, "pointed_use"))(NULL);
}

NOINLINE static void place_global(void)
{
	keep(&handlers[0], "on_tick");
	keep(&handlers[2], "on_tock");
	keep(&handlers[3], "on_tick");
}

/* Far more than the allocator would have given to a stranger since. */
NOINLINE static void place_heap(void)
{
	heap = calloc(1000, sizeof(*heap));
	keep(&heap[10], "on_tick");
	keep(&heap[20], "on_tick");
	keep(&heap[30], "on_tick");
	keep(&heap[40], "on_tock");
}

/*
 * Blocks that are freed with what is in them, all but two: the C library keeps
 * them as part of larger ones, of the rest of its heap, for the thread, and in
 * lists for their size.
 */
NOINLINE static void blocks_free(void)
{
	void **blocks[24];

	for (int i = 0; i < 24; i++) {
		blocks[i] = calloc(1, i < 12 ? 4000 : 56);
		keep(&blocks[i][5], i == 8 || i == 20 ? "on_tock" : "on_tick");
	}
	for (int i = 0; i < 24; i++)
		if (i != 8 && i != 20)
			free(blocks[i]);
}

NOINLINE static void place_freed(void)
{
	blocks_free();
}

NOINLINE static void place_mapping(void)
{
	mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	keep(mapping, "on_tick");
}

NOINLINE static void place_local(void)
{
	keep(&local, "on_tick");
}

NOINLINE static void pointing_keeps(const char *where)
{
	keep(((void **(*)(void))plugin_symbol(pointing, where))(), "on_tick");
}

NOINLINE static void place_variable(void)
{
	pointing_keeps("pointing_variable");
}

NOINLINE static void place_tls(void)
{
	pointing_keeps("pointing_local");
}

NOINLINE static void place_block(void)
{
	pointing_keeps("pointing_block");
}

/* The C library remembers where the next word begins. */
NOINLINE static void place_libc(void)
{
	char *text = plugin_symbol(handle, "pointed_array");

	memcpy(text, "one two three", 14);
	strtok(text, " ");
}

/* The C library takes the handlers from its list when the plugin goes. */
NOINLINE static void place_atfork(void)
{
	if (((int (*)(void))plugin_symbol(handle, "pointed_atfork"))() != 0)
		die("pthread_atfork");
}

NOINLINE static void place_many(void)
{
	char *array = plugin_symbol(handle, "pointed_array");

	for (int i = 0; i < 3000; i++)
		many[i] = array + i;
}

NOINLINE static void place_unaligned(void)
{
	void *symbol = plugin_symbol(handle, "on_tick");

	memcpy((char *)handlers + 4, &symbol, sizeof(symbol));
}

static void *stack_thread(void *unused)
{
	void *volatile slots[2];

	keep((void **)&slots[0], "on_tick");
	slots[1] = slots[0];
	scrub_stack();
	sem_post(&held);
	sem_wait(&over);
	return slots[0] == slots[1] ? unused : NULL;
}

/* A second thread has a heap of its own. */
static void *freeing_thread(void *unused)
{
	blocks_free();
	scrub_stack();
	sem_post(&held);
	sem_wait(&over);
	return unused;
}

/* In no other place than r14 from the load on. */
static void *register_thread(void *unused)
{
	keep(&handlers[0], "on_tick");
	scrub_stack();
#if defined(__x86_64__)
	/* what a call may change still has addresses that the loader used */
	__asm__ volatile("	xorl	%%ecx, %%ecx\n"
			 "	xorl	%%edx, %%edx\n"
			 "	xorl	%%esi, %%esi\n"
			 "	xorl	%%edi, %%edi\n"
			 "	xorl	%%r8d, %%r8d\n"
			 "	xorl	%%r9d, %%r9d\n"
			 "	xorl	%%r10d, %%r10d\n"
			 "	xorl	%%r11d, %%r11d\n"
			 "	movq	%[slot], %%r14\n"
			 "	movq	$0, %[slot]\n"
			 "	movl	$1, %[ready]\n"
			 "1:	pause\n"
			 "	cmpl	$0, %[wanted]\n"
			 "	je	1b\n"
			 "	xorl	%%r14d, %%r14d\n"
			 : [slot] "+m"(handlers[0]), [ready] "+m"(*(volatile int *)&many[0]),
			 [wanted] "+m"(*(volatile int *)&many[1])
			 :
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r14",
			 "memory", "cc");
#endif
	return unused;
}

static pthread_t thread;

NOINLINE static void place_stack(void)
{
	pthread_create(&thread, NULL, stack_thread, NULL);
	sem_wait(&held);
}

NOINLINE static void place_arena(void)
{
	pthread_create(&thread, NULL, freeing_thread, NULL);
	sem_wait(&held);
}

NOINLINE static void place_register(void)
{
	pthread_create(&thread, NULL, register_thread, NULL);
	while (!*(volatile int *)&many[0])
		sched_yield();
}

NOINLINE static void thread_end(void)
{
	*(volatile int *)&many[1] = 1;
	sem_post(&over);
	pthread_join(thread, NULL);
}

/* A host's own thread calls the plugin, and is over. */
NOINLINE static void place_ended(void)
{
	pthread_create(&thread, NULL, (void *(*)(void *))plugin_symbol(handle, "pointed_use"),
		plugin_symbol(handle, "pointed_array"));
	pthread_join(thread, NULL);
	((long (*)(long))plugin_symbol(handle, "pointed_thread"))(1);
}

/* As often as a plugin is built anew in an afternoon. */
NOINLINE static void place_work(void)
{
	for (int i = 0; i < 20; i++) {
		((long (*)(long))plugin_symbol(handle, "clean_work"))(i);
		close_plugin();
		handle = plugin_open(plugin_path);
	}
}

/* The loader maps OTHER.so, and finds that it lacks a symbol. */
NOINLINE static void place_failed(void)
{
	close_plugin();
	if (dlopen(other_path, RTLD_NOW))
		die("%s was loaded", other_path);
	handle = plugin_open(plugin_path);
	place_global();
	other_handle = handle;
	handle = dlopen(other_path, RTLD_LAZY);
	if (!handle)
		die("dlopen: %s", dlerror());
}

/* OTHER.so needs PLUGIN.so: they go together. */
NOINLINE static void place_both(void)
{
	place_global();
	other_handle = plugin_open(other_path);
	handlers[1] = plugin_symbol(other_handle, "other_call");
	dlclose(handle);
	handle = other_handle;
}

static const struct place {
	const char *name;
	void (*keep)(void);
	int threaded, wiped;
} places[] = {
	{"clean", place_clean, 0, 0},
	{"global", place_global, 0, 1},
	{"heap", place_heap, 0, 1},
	{"freed", place_freed, 0, 1},
	{"arena", place_arena, 1, 1},
	{"mapping", place_mapping, 0, 1},
	{"local", place_local, 0, 1},
	{"variable", place_variable, 0, 1},
	{"tls", place_tls, 0, 1},
	{"block", place_block, 0, 1},
	{"libc", place_libc, 0, 1},
	{"atfork", place_atfork, 0, 1},
	{"many", place_many, 0, 1},
	{"unaligned", place_unaligned, 0, 1},
	{"stack", place_stack, 1, 1},
	{"register", place_register, 1, 1},
	{"ended", place_ended, 0, 1},
	{"work", place_work, 0, 0},
	{"failed", place_failed, 0, 1},
	{"both", place_both, 0, 1},
	{NULL, NULL, 0, 0},
};

int main(int argc, char **argv)
{
	const struct place *place = places;

	watchdog(120);
	if (argc < 4)
		die("usage: pointers PLACE PLUGIN.so POINTING.so [OTHER.so]");
	while (place->name && strcmp(place->name, argv[1]))
		place++;
	if (!place->name)
		die("no place %s", argv[1]);
	plugin_path = argv[2];
	other_path = argc > 4 ? argv[4] : NULL;
	sem_init(&held, 0, 0);
	sem_init(&over, 0, 0);
	pointing = plugin_open(argv[3]);
	handle = plugin_open(plugin_path);
	place->keep();
	if (place->wiped)
		scrub_stack();
	close_plugin();
	if (place->threaded)
		thread_end();
	dprintf(1, "ok\n");
	return 0;
}
