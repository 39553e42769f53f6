/* SPDX-License-Identifier: MIT */
#include "shim/names.h"

#include <errno.h>

#include "shim/settings.h"
#include "shim/settle.h"
#include "shim/sys.h"

static uint64_t process_self(void)
{
	return (uint64_t)sys_call(SYS_getpid, 0, 0, 0);
}

void name_made(struct origin origin, enum session_resource kind, uint64_t key, uint64_t identity,
	const char *text)
{
	const struct holding like = {
		.kind = kind,
		.key = key,
		.text = text ? ledger_text(text) : 0,
		.data = {identity, process_self(), origin.generation},
	};

	ledger_acquire(origin, &like);
}

const char *name_error(long error)
{
	switch (error) {
	case 0:
		return NULL;
	case -ENOTEMPTY:
		return "the directory is not empty";
	case -EACCES:
	case -EPERM:
		return "that is not permitted";
	case -EROFS:
		return "the file system is read-only";
	default:
		return "the kernel refused it";
	}
}

static const char *why_not(const struct name_kind *kind, const struct holding *holding)
{
	if (holding->data[1] != process_self())
		return "it was made before the fork";
	return kind->remove(holding);
}

static void visit_left(const struct holding *holding, void *data)
{
	const struct name_kind *kind = data;
	uint64_t number = kind->number ? holding->key : 0;
	const char *why = NULL;

	if (holding->leftover)
		return;
	if (!kind->is_there(holding)) {
		ledger_was_gone(holding);
		return;
	}
	if (settings.names == SESSION_NAMES_REMOVE && kind->remove) {
		why = why_not(kind, holding);
		if (!why) {
			ledger_taken_back(holding, number, NULL);
			return;
		}
	}
	ledger_left(holding, number, NULL, why);
}

void name_kind_settle(const struct name_kind *kind, uint32_t generation)
{
	ledger_each(kind->kind, generation, visit_left, (void *)kind);
}

void names_settle(uint32_t generation)
{
	temporaries_settle(generation);
	posix_names_settle(generation);
	semaphores_settle(generation);
	ipc_settle(generation);
}
