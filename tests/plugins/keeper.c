/* SPDX-License-Identifier: MIT */
/*
 * keeper MODE GIVE.so HOLDER.so: a host that is handed a block by a plugin and
 * holds it in one place only, named by MODE.  Commands on standard input:
 *
 *	take		load GIVE.so, be handed the block, hold it, unload
 *	verify		look at the block's contents where it is held
 *	free		free it and forget it
 *	drop		forget it without freeing it
 *	turn		load GIVE.so and unload it again
 *
 * Every step is a function of its own, after which the dead stack is wiped, so
 * that no copy of the pointer survives outside the place under test.
 */
#include "host.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define BLOCK_SIZE 4321
#define BLOCK_SEED 5

typedef void give_fn(void **slot, size_t size, unsigned int seed);

static const char *give_path;
static give_fn *plugin_give;

/* The block passes through here between the main thread and the holding one. */
static void *passed;
static atomic_int ready, wanted;

static void *global_slot;
static void **heap_slot;
static void **mapping_slot;
static void **module_slot;
static __thread void *thread_local_slot;
static pthread_key_t key;
static pthread_t thread;

static void wait_for(atomic_int *flag)
{
	while (!atomic_load(flag))
		sched_yield();
	atomic_store(flag, 0);
}

/* --- a thread that holds the block in its stack, in a register, or as its specific value --- */

NOINLINE static void stack_take(void *volatile *slot)
{
	*slot = passed;
	passed = NULL;
}

static void *stack_thread(void *unused)
{
	void *volatile slot = NULL;

	stack_take(&slot);
	scrub_stack();
	atomic_store(&ready, 1);
	wait_for(&wanted);
	passed = slot;
	slot = NULL;
	atomic_store(&ready, 1);
	return unused;
}

/* From the variable into a register and back, in one piece of assembler. */
static void *register_thread(void *unused)
{
#if defined(__x86_64__)
	__asm__ volatile(
		"	movq	%[passed], %%r14\n"
		"	movq	$0, %[passed]\n"
		"	movl	$1, %[ready]\n"
		"1:	pause\n"
		"	cmpl	$0, %[wanted]\n"
		"	je	1b\n"
		"	movl	$0, %[wanted]\n"
		"	movq	%%r14, %[passed]\n"
		"	xorl	%%r14d, %%r14d\n"
		: [passed] "+m"(passed), [ready] "+m"(ready), [wanted] "+m"(wanted)
		:
		: "r14", "memory", "cc");
#elif defined(__aarch64__)
	__asm__ volatile(
		"	ldr	x20, [%[passed]]\n"
		"	str	xzr, [%[passed]]\n"
		"	mov	w21, #1\n"
		"	stlr	w21, [%[ready]]\n"
		"1:	ldar	w21, [%[wanted]]\n"
		"	cbz	w21, 1b\n"
		"	str	wzr, [%[wanted]]\n"
		"	str	x20, [%[passed]]\n"
		"	mov	x20, xzr\n"
		:
		: [passed] "r"(&passed), [ready] "r"(&ready), [wanted] "r"(&wanted)
		: "x20", "x21", "memory", "cc");
#else
#error "hold the block in a register here"
#endif
	atomic_store(&ready, 1);
	return unused;
}

NOINLINE static void specific_take(void)
{
	pthread_setspecific(key, passed);
	passed = NULL;
}

static void *specific_thread(void *unused)
{
	specific_take();
	scrub_stack();
	atomic_store(&ready, 1);
	wait_for(&wanted);
	passed = pthread_getspecific(key);
	pthread_setspecific(key, NULL);
	atomic_store(&ready, 1);
	return unused;
}

/* --- the places --- */

struct mode {
	const char *name;
	void **(*slot)(void);		/* where the block is held, or NULL: */
	void *(*thread)(void *);	/* a thread that holds it */
	int middle;			/* only a pointer into its middle is held */
};

static void **slot_global(void)
{
	return &global_slot;
}

static void **slot_heap(void)
{
	if (!heap_slot)
		heap_slot = calloc(1, 40);
	return heap_slot;
}

static void **slot_mapping(void)
{
	if (!mapping_slot)
		mapping_slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	return mapping_slot;
}

static void **slot_local(void)
{
	return &thread_local_slot;
}

static void **slot_module(void)
{
	return module_slot;
}

static const struct mode modes[] = {
	{ "global", slot_global, NULL, 0 },
	{ "heap", slot_heap, NULL, 0 },
	{ "mapping", slot_mapping, NULL, 0 },
	{ "local", slot_local, NULL, 0 },
	{ "module", slot_module, NULL, 0 },
	{ "block", slot_module, NULL, 0 },
	{ "interior", slot_global, NULL, 1 },
	{ "stack", NULL, stack_thread, 0 },
	{ "register", NULL, register_thread, 0 },
	{ "specific", NULL, specific_thread, 0 },
	{ NULL, NULL, NULL, 0 },
};

static const struct mode *mode;

/* The slot of the mode, or the variable through which its thread is handed the block. */
static void **slot(void)
{
	return mode->slot ? mode->slot() : &passed;
}

NOINLINE static void thread_holds(void)
{
	if (pthread_create(&thread, NULL, mode->thread, NULL) != 0)
		die("pthread_create");
	wait_for(&ready);
}

NOINLINE static void thread_hands_back(void)
{
	atomic_store(&wanted, 1);
	wait_for(&ready);
	pthread_join(thread, NULL);
}

/* --- the commands --- */

NOINLINE static void be_given(void *handle)
{
	plugin_give = (give_fn *)plugin_symbol(handle, mode->middle ? "give_middle" : "give");
	plugin_give(slot(), BLOCK_SIZE, BLOCK_SEED);
	plugin_give = NULL;
}

NOINLINE static void take(void)
{
	void *handle = plugin_open(give_path);

	be_given(handle);
	scrub_stack();
	if (mode->thread)
		thread_holds();
	dprintf(1, "%s\n", plugin_close(handle) ? "ok" : "error the plugin stays");
}

/* The block's first byte. */
static char *block_start(void)
{
	return (char *)*slot() - (mode->middle ? BLOCK_SIZE / 2 : 0);
}

NOINLINE static void verify(void)
{
	int held;

	if (mode->thread)
		thread_hands_back();
	held = pattern_holds(block_start(), BLOCK_SIZE, BLOCK_SEED);
	if (mode->thread)
		thread_holds();
	dprintf(1, "%s\n", held ? "ok" : "error the contents are not what they were");
}

NOINLINE static void give_back(int freed)
{
	if (mode->thread)
		thread_hands_back();
	if (freed)
		free(block_start());
	*slot() = NULL;
	dprintf(1, "ok\n");
}

NOINLINE static void turn(void)
{
	void *handle = plugin_open(give_path);

	dprintf(1, "%s\n", plugin_close(handle) ? "ok" : "error the plugin stays");
}

static const struct mode *mode_named(const char *name)
{
	const struct mode *found = modes;

	while (found->name && strcmp(found->name, name))
		found++;
	if (!found->name)
		die("no mode %s", name);
	return found;
}

NOINLINE static void find_module_slot(const char *path)
{
	void *handle = plugin_open(path);
	void **(*find)(void) = (void **(*)(void))plugin_symbol(handle,
		!strcmp(mode->name, "block") ? "holder_block" : "holder_variable");

	module_slot = find();
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc != 4)
		die("usage: keeper MODE GIVE.so HOLDER.so");
	watchdog(300);
	mode = mode_named(argv[1]);
	give_path = argv[2];
	pthread_key_create(&key, NULL);
	find_module_slot(argv[3]);
	while (read_command(line, sizeof(line))) {
		if (!strcmp(line, "take"))
			take();
		else if (!strcmp(line, "verify"))
			verify();
		else if (!strcmp(line, "free") || !strcmp(line, "drop"))
			give_back(line[0] == 'f');
		else if (!strcmp(line, "turn"))
			turn();
		else
			dprintf(1, "error cannot: %s\n", line);
		scrub_stack();
	}
	return 0;
}
