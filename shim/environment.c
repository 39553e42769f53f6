/* SPDX-License-Identifier: MIT */
/*
 * The environment: variables that a module changed; and strings that it gave to
 * putenv, and an array that it made the environment, when they lie in its image.
 *
 * Values may be secrets: no more than a hash of one is kept.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "shim/arena.h"
#include "shim/changes.h"
#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/hooks.h"
#include "shim/ledger.h"
#include "shim/lock.h"
#include "shim/next.h"
#include "shim/settle.h"
#include "shim/sys.h"

static bool is_in(const struct generation *generation, const void *address)
{
	return (uintptr_t)address - generation->start < generation->end - generation->start;
}

/*
 * The array goes where a look for references reads it: its strings may be
 * blocks of other modules.
 */
static char **array_copy(char **from)
{
	size_t count = 0;
	char **copy;

	while (from[count])
		count++;
	copy = sys_map((count + 1) * sizeof(*copy), PROT_READ | PROT_WRITE);
	if (copy)
		memcpy(copy, from, count * sizeof(*copy));
	return copy;
}

static char *string_copy(const char *from)
{
	size_t size = strlen(from) + 1;
	char *copy = arena_take(size);

	return copy ? memcpy(copy, from, size) : NULL;
}

#define NAME_MOST 256u /* longer ones are not recorded */

/* Of "NAME" or "NAME=VALUE", ended by NUL.  False: too long, or no name. */
static bool name_copy(const char *from, char *name)
{
	size_t length = strcspn(from, "=");

	if (!length || length >= NAME_MOST)
		return false;
	memcpy(name, from, length);
	name[length] = 0;
	return true;
}

/* A hash of the variable's value; 0: there is none. */
static uint64_t value_hash(const char *name)
{
	size_t length = strlen(name);

	for (char **at = environ; at && *at; at++)
		if (!strncmp(*at, name, length) && (*at)[length] == '=')
			return ledger_hash(*at + length + 1);
	return 0;
}

struct variable {
	struct origin origin;
	bool locked, seen; /* seen: somebody has to know of it */
	uint64_t before;
	char name[NAME_MOST];
};

/*
 * The C library replaces the array and frees the old one under a lock of its
 * own, which nobody else can take.  So ours is held as long as it may do that,
 * whoever calls, and while we read: nothing happens in it but what happens in
 * the C library's.
 */
static struct lock variables_lock;

static void variable_begin(struct variable *variable, const char *string, struct origin origin)
{
	variable->origin = origin;
	variable->locked = lock_take(&variables_lock);
	variable->seen = variable->locked && string &&
			 (origin.place || !ledger_is_empty(SESSION_ENVIRONMENT)) &&
			 name_copy(string, variable->name);
	if (variable->seen)
		variable->before = value_hash(variable->name);
}

static void variable_told(const struct variable *variable, uint64_t now)
{
	struct holding like = {.kind = SESSION_ENVIRONMENT, .data = {variable->before, now}};

	like.key = ledger_hash(variable->name);
	if (variable->origin.place)
		like.text = ledger_text(variable->name);
	change_made(variable->origin, &like);
}

static void variable_end(const struct variable *variable, bool changed)
{
	int saved = errno;
	uint64_t now = changed && variable->seen ? value_hash(variable->name) : 0;

	if (variable->locked)
		lock_give(&variables_lock);
	if (changed && variable->seen)
		variable_told(variable, now);
	errno = saved;
}

int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
int putenv(char *string);
int clearenv(void);

/* What is the same of those that change one variable. */
#define VARIABLE_CHANGE(symbol, parameters, string, arguments)                                     \
	RELIB_EXPORT int symbol parameters                                                         \
	{                                                                                          \
		struct variable variable;                                                          \
		int result;                                                                        \
                                                                                                   \
		if (!next_ready() || !next.symbol) {                                               \
			errno = ENOSYS;                                                            \
			return -1;                                                                 \
		}                                                                                  \
		variable_begin(&variable, string, CALL_ORIGIN());                                  \
		result = next.symbol arguments;                                                    \
		variable_end(&variable, !result);                                                  \
		return result;                                                                     \
	}

VARIABLE_CHANGE(setenv, (const char *name, const char *value, int overwrite), name,
	(name, value, overwrite))
VARIABLE_CHANGE(unsetenv, (const char *name), name, (name))
VARIABLE_CHANGE(putenv, (char *string), string, (string))

static void all_told(struct origin origin)
{
	struct variable variable = {.origin = origin};

	for (char **at = environ; at && *at; at++) {
		if (!name_copy(*at, variable.name))
			continue;
		variable.before = value_hash(variable.name);
		variable_told(&variable, 0);
	}
}

RELIB_EXPORT int clearenv(void)
{
	const struct origin origin = CALL_ORIGIN();
	bool locked;
	int result;

	if (!next_ready() || !next.clearenv) {
		errno = ENOSYS;
		return -1;
	}
	locked = lock_take(&variables_lock);
	if (locked && (origin.place || !ledger_is_empty(SESSION_ENVIRONMENT)))
		all_told(origin);
	result = next.clearenv();
	if (locked)
		lock_give(&variables_lock);
	return result;
}

/* Other threads may read it meanwhile, as they may while putenv runs. */
static void take_back(uint16_t generation)
{
	const struct generation *going = generation_at(generation);
	struct session_dangling like = {.kind = SESSION_DANGLING_ENVIRON};
	void *copy;

	if (!environ)
		return;
	if (is_in(going, environ)) {
		copy = array_copy(environ);
		like.taken_back = copy != NULL;
		dangling_hook(generation, (uintptr_t)environ, &like, "environ");
		if (!copy)
			return;
		__atomic_store_n(&environ, copy, __ATOMIC_RELEASE);
	}
	for (char **at = environ; *at; at++) {
		if (!is_in(going, *at))
			continue;
		copy = string_copy(*at);
		like.taken_back = copy != NULL;
		dangling_hook(generation, (uintptr_t)*at, &like, *at);
		if (copy)
			__atomic_store_n(at, copy, __ATOMIC_RELEASE);
	}
}

void environment_take_back(uint16_t generation)
{
	bool locked = lock_take(&variables_lock);

	take_back(generation);
	if (locked)
		lock_give(&variables_lock);
}

static void visit_left(const struct holding *holding, void *data)
{
	change_settle(holding, value_hash(session_record(SESSION_STRINGS, holding->text)), NULL);
}

void environment_settle(uint32_t generation)
{
	if (!lock_take(&variables_lock))
		return;
	ledger_each(SESSION_ENVIRONMENT, generation, visit_left, NULL);
	lock_give(&variables_lock);
}

void environment_fork_child(void)
{
	variables_lock.owner = 0;
}
