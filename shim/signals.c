/* SPDX-License-Identifier: MIT */
#include "shim/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

#include "shim/arch.h"
#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/guard.h"
#include "shim/hook-entries.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/objects.h"
#include "shim/segv.h"
#include "shim/sys.h"
#include "shim/text.h"

#define SIGNALS 65     /* the kernel's numbers, from 1 */
#define BEFORE_MOST 8u /* modules that set the same signal; the oldest is forgotten */

/* What stood there before a generation's own handler. */
struct before {
	uint32_t generation; /* its record, 0: none */
	struct arch_sigaction action;
};

static struct before befores[SIGNALS][BEFORE_MOST];
static struct lock signals_lock;

static bool kernel_get(int number, struct arch_sigaction *action)
{
	return raw(SYS_rt_sigaction, number, NULL, action, sizeof(uint64_t)) == 0;
}

static bool is_function(const struct arch_sigaction *action)
{
	return (uintptr_t)action->handler > (uintptr_t)SIG_IGN;
}

/* The slot of the generation whose code the address is; 0: none. */
static uint16_t handler_generation(uintptr_t handler)
{
	const struct object *object = objects_active ? object_of(handler) : NULL;

	return object ? object->generation : 0;
}

static void before_note(int number, uint16_t generation)
{
	uint32_t record = generation_at(generation)->record;
	struct before *list = befores[number], *to = NULL;
	struct arch_sigaction action;

	/* its own one: what stood there before that still counts */
	if (!kernel_get(number, &action) ||
		(is_function(&action) &&
			handler_generation((uintptr_t)action.handler) == generation) ||
		!lock_take(&signals_lock))
		return;
	for (unsigned int i = 0; i < BEFORE_MOST && !to; i++)
		if (list[i].generation == record)
			to = &list[i];
	for (unsigned int i = 0; i < BEFORE_MOST && !to; i++)
		if (!list[i].generation)
			to = &list[i];
	if (!to) {
		to = &list[BEFORE_MOST - 1];
		for (unsigned int i = 0; i + 1 < BEFORE_MOST; i++)
			list[i] = list[i + 1];
	}
	*to = (struct before){.generation = record, .action = action};
	lock_give(&signals_lock);
}

/* One call of an interposer; SIGSEGV's disposition may be kept elsewhere. */
struct setting {
	bool exposed, blocks;
	uint64_t mask;
};

static struct setting setting_begin(int number, const void *handler, bool blocks)
{
	struct setting setting = {.blocks = blocks};
	uint16_t generation;

	if (number == SIGSEGV)
		setting.exposed = segv_expose(blocks, &setting.mask);
	generation = (uintptr_t)handler > (uintptr_t)SIG_IGN && number > 0 && number < SIGNALS
			     ? handler_generation((uintptr_t)handler)
			     : 0;
	if (generation)
		before_note(number, generation);
	return setting;
}

static void setting_end(const struct setting *setting)
{
	if (setting->exposed)
		segv_cover(setting->blocks, &setting->mask);
}

/* The action in the place of one that goes.  Under the lock. */
static struct arch_sigaction before_take(int number, uint32_t generation)
{
	struct arch_sigaction action = {.handler = NULL};

	for (unsigned int i = 0; i < BEFORE_MOST; i++) {
		struct before *before = &befores[number][i];

		if (before->generation != generation)
			continue;
		action = before->action;
		before->generation = 0;
	}
	if (is_function(&action) && guard_find((uintptr_t)action.handler))
		action = (struct arch_sigaction){.handler = NULL};
	return action;
}

static bool is_inside(const struct arch_sigaction *action, const struct generation *generation)
{
	return is_function(action) &&
	       (uintptr_t)action->handler - generation->start < generation->end - generation->start;
}

void signal_name(int number, char *room, size_t size)
{
	static const char names[][7] = {
		"",
		"HUP",
		"INT",
		"QUIT",
		"ILL",
		"TRAP",
		"ABRT",
		"BUS",
		"FPE",
		"KILL",
		"USR1",
		"SEGV",
		"USR2",
		"PIPE",
		"ALRM",
		"TERM",
		"STKFLT",
		"CHLD",
		"CONT",
		"STOP",
		"TSTP",
		"TTIN",
		"TTOU",
		"URG",
		"XCPU",
		"XFSZ",
		"VTALRM",
		"PROF",
		"WINCH",
		"POLL",
		"PWR",
		"SYS",
	};
	struct text text = text_in(room, size);
	bool named = (size_t)number < sizeof(names) / sizeof(*names);

	text_add(&text, named ? "SIG" : "SIGRTMIN+");
	if (named)
		text_add(&text, names[number]);
	else /* as the C library counts: it keeps 32 and 33 to itself */
		text_number(&text, number < 34 ? 0 : (uint64_t)number - 34, 10, 1);
}

bool signal_is_harmful(int number, uint16_t slot)
{
	struct arch_sigaction action;

	if (number <= 0 || number >= SIGNALS || !kernel_get(number, &action))
		return false;
	if (is_function(&action))
		return is_inside(&action, generation_at(slot));
	return !action.handler && number != SIGCHLD && number != SIGCONT && number != SIGURG &&
	       number != SIGWINCH;
}

/* The kernel forgets what is pending of a signal that comes to be ignored. */
void signal_discard(int number)
{
	const struct arch_sigaction ignore = {
		.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_IGN};
	struct arch_sigaction present;

	if (!lock_take(&signals_lock))
		return;
	if (!raw(SYS_rt_sigaction, number, &ignore, &present, sizeof(uint64_t)))
		raw(SYS_rt_sigaction, number, &present, NULL, sizeof(uint64_t));
	lock_give(&signals_lock);
}

/* The ledger's part: the handler is the generation's no more. */
static void handler_settle(int number, const struct generation *generation, bool taken_back)
{
	struct holding holding;

	if (!ledger_find(SESSION_SIGNAL_HANDLER, (uint64_t)number, &holding))
		return;
	if (taken_back) {
		/* what was taken back is told by a record of what dangled */
		balance_take_back(holding.balance, 1, 0);
		ledger_forget(SESSION_SIGNAL_HANDLER, (uint64_t)number);
	} else if (holding.data[0] - generation->start < generation->end - generation->start) {
		ledger_was_gone(&holding);
	}
}

static void signal_take_back(int number, uint16_t slot)
{
	const struct generation *generation = generation_at(slot);
	struct session_dangling like = {
		.kind = SESSION_DANGLING_SIGNAL,
		.number = (uint32_t)number,
		.taken_back = 1,
	};
	struct setting setting = setting_begin(number, NULL, true);
	bool was_its;
	struct arch_sigaction present, instead;
	char name[24];

	if (!lock_take(&signals_lock)) {
		setting_end(&setting);
		return;
	}
	instead = before_take(number, generation->record);
	was_its = kernel_get(number, &present) && is_inside(&present, generation);

	/* another module saw its handler before it set its own: it gets what we saw */
	for (unsigned int i = 0; i < BEFORE_MOST; i++)
		if (befores[number][i].generation &&
			is_inside(&befores[number][i].action, generation))
			befores[number][i].action = instead;
	if (was_its)
		raw(SYS_rt_sigaction, number, &instead, NULL, sizeof(uint64_t));
	lock_give(&signals_lock);
	setting_end(&setting);
	handler_settle(number, generation, was_its);
	if (was_its) {
		signal_name(number, name, sizeof(name));
		dangling_hook(slot, (uintptr_t)present.handler, &like, name);
	}
}

static void visit_left(const struct holding *holding, void *data)
{
	char name[24];

	signal_name((int)holding->key, name, sizeof(name));
	ledger_left(holding, holding->key, name, NULL);
}

void signals_take_back(uint16_t generation)
{
	for (int number = 1; number < SIGNALS; number++)
		signal_take_back(number, generation);
	/* it made another module's function a handler */
	ledger_each(SESSION_SIGNAL_HANDLER, generation_at(generation)->record, visit_left, NULL);
}

void signals_fork_child(void)
{
	signals_lock.owner = 0;
}

static int unknown(void)
{
	errno = ENOSYS;
	return -1;
}

#define SIGNAL(type, name, symbol, parameters)                                                     \
	type signals_##name parameters __asm__(symbol);                                            \
	RELIB_EXPORT type signals_##name parameters

/* A handler was set by the caller: a module's is counted, the one before it is given back. */
static void handler_count(int number, uintptr_t handler, const struct caller *caller)
{
	const struct holding like = {
		.kind = SESSION_SIGNAL_HANDLER, .key = (uint64_t)number, .data = {handler}};
	struct origin origin = {0};

	if (hook_owner(handler))
		origin = caller_origin(caller);
	else if (ledger_is_empty(SESSION_SIGNAL_HANDLER))
		return;
	ledger_acquire(origin, &like);
}

#define CALLER() caller_of(CALLER_FRAME(), CALLER_BP(CALLER_FRAME()))

static int action_set(int (*set)(int, const void *, void *), int number,
	const struct sigaction *action, struct sigaction *old, const struct caller *caller)
{
	const void *handler = action ? (const void *)action->sa_sigaction : NULL;
	struct setting setting = setting_begin(number, handler, true);
	int result = set(number, action, old);

	setting_end(&setting);
	if (!result && action)
		handler_count(number, (uintptr_t)handler, caller);
	return result;
}

SIGNAL(int, sigaction, "sigaction",
	(int number, const struct sigaction *action, struct sigaction *old))
{
	struct caller caller = CALLER();

	return next_ready() && next.sigaction
		       ? action_set(next.sigaction, number, action, old, &caller)
		       : unknown();
}

SIGNAL(int, sigaction_old_name, "__sigaction",
	(int number, const struct sigaction *action, struct sigaction *old))
{
	struct caller caller = CALLER();

	return next_ready() && next.sigaction_old_name
		       ? action_set(next.sigaction_old_name, number, action, old, &caller)
		       : unknown();
}

static void *handler_set(void *(*set)(int, void *), int number, const void *handler,
	bool changes_mask, const struct caller *caller)
{
	struct setting setting;
	void *result;

	if (!set) {
		unknown();
		return (void *)SIG_ERR;
	}
	setting = setting_begin(number, handler, !changes_mask);
	result = set(number, (void *)handler);
	setting_end(&setting);
	/* to hold a signal leaves its handler as it is */
	if (result != (void *)SIG_ERR && !(changes_mask && handler == (const void *)SIG_HOLD))
		handler_count(number, (uintptr_t)handler, caller);
	return result;
}

/* The functions that set a handler and return the one before it. */
#define HANDLER_SETTER(name, symbol, changes_mask)                                                 \
	SIGNAL(void *, name, symbol, (int number, const void *handler))                            \
	{                                                                                          \
		struct caller caller = CALLER();                                                   \
                                                                                                   \
		return handler_set(                                                                \
			next_ready() ? next.name : NULL, number, handler, changes_mask, &caller);  \
	}

HANDLER_SETTER(signal, "signal", false)
HANDLER_SETTER(bsd_signal, "bsd_signal", false)
HANDLER_SETTER(ssignal, "ssignal", false)
HANDLER_SETTER(sysv_signal, "sysv_signal", false)
HANDLER_SETTER(sysv_signal_old_name, "__sysv_signal", false)
HANDLER_SETTER(sigset, "sigset", true)

SIGNAL(int, sigignore, "sigignore", (int number))
{
	struct setting setting;
	int result;

	if (!next_ready() || !next.sigignore)
		return unknown();
	setting = setting_begin(number, NULL, true);
	result = next.sigignore(number);
	setting_end(&setting);
	if (!result)
		handler_count(number, 0, NULL);
	return result;
}

SIGNAL(int, siginterrupt, "siginterrupt", (int number, int interrupts))
{
	struct setting setting;
	int result;

	if (!next_ready() || !next.siginterrupt)
		return unknown();
	setting = setting_begin(number, NULL, true);
	result = next.siginterrupt(number, interrupts);
	setting_end(&setting);
	return result;
}
