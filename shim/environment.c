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

/* Other threads may read it meanwhile, as they may while putenv runs. */
void environment_take_back(uint16_t generation)
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
	bool seen; /* somebody has to know of it */
	uint64_t before;
	char name[NAME_MOST];
};

static bool variable_begin(struct variable *variable, const char *string, struct origin origin)
{
	variable->origin = origin;
	variable->seen = string && (origin.place || !ledger_is_empty(SESSION_ENVIRONMENT)) &&
			 name_copy(string, variable->name);
	if (variable->seen)
		variable->before = value_hash(variable->name);
	return variable->seen;
}

static void variable_end(struct variable *variable, uint64_t now)
{
	struct holding like = {.kind = SESSION_ENVIRONMENT, .data = {variable->before, now}};

	if (!variable->seen)
		return;
	like.key = ledger_hash(variable->name);
	if (variable->origin.place)
		like.text = ledger_text(variable->name);
	change_made(variable->origin, &like);
}

int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
int putenv(char *string);
int clearenv(void);

/* What is the same of those that change one variable. */
#define VARIABLE_CHANGE(symbol, string, call)                                                      \
	{                                                                                          \
		struct variable variable;                                                          \
		int result, saved;                                                                 \
                                                                                                   \
		if (!next_ready() || !next.symbol) {                                               \
			errno = ENOSYS;                                                            \
			return -1;                                                                 \
		}                                                                                  \
		variable_begin(&variable, string, CALL_ORIGIN());                                  \
		result = call;                                                                     \
		saved = errno;                                                                     \
		if (!result && variable.seen)                                                      \
			variable_end(&variable, value_hash(variable.name));                        \
		errno = saved;                                                                     \
		return result;                                                                     \
	}

RELIB_EXPORT int setenv(const char *name, const char *value, int overwrite)
	VARIABLE_CHANGE(setenv, name, next.setenv(name, value, overwrite))

		RELIB_EXPORT int unsetenv(const char *name)
			VARIABLE_CHANGE(unsetenv, name, next.unsetenv(name))

				RELIB_EXPORT int putenv(char *string)
					VARIABLE_CHANGE(putenv, string, next.putenv(string))

						RELIB_EXPORT int clearenv(void)
{
	const struct origin origin = CALL_ORIGIN();
	struct variable variable;

	if (!next_ready() || !next.clearenv) {
		errno = ENOSYS;
		return -1;
	}
	if (origin.place || !ledger_is_empty(SESSION_ENVIRONMENT))
		for (char **at = environ; at && *at; at++)
			if (variable_begin(&variable, *at, origin))
				variable_end(&variable, 0);
	return next.clearenv();
}

static void visit_left(const struct holding *holding, void *data)
{
	change_settle(holding, value_hash(session_record(SESSION_STRINGS, holding->text)), NULL);
}

void environment_settle(uint32_t generation)
{
	ledger_each(SESSION_ENVIRONMENT, generation, visit_left, NULL);
}
