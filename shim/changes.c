/* SPDX-License-Identifier: MIT */
#include "shim/changes.h"

#include "shim/generation.h"

static bool is_own(struct origin origin, const struct holding *holding)
{
	return balance_at(holding->balance)->generation == generation_at(origin.generation)->record;
}

bool change_is_known(struct origin origin, enum session_resource kind, uint64_t key)
{
	struct holding holding;

	return ledger_find(kind, key, &holding) && is_own(origin, &holding);
}

void change_made(struct origin origin, const struct holding *like)
{
	struct holding was;

	if (!origin.place) {
		ledger_give_back(like->kind, like->key, &was);
		return;
	}
	if (!ledger_find(like->kind, like->key, &was) || !is_own(origin, &was)) {
		if (like->data[0] != like->data[1])
			ledger_acquire(origin, like);
		return;
	}
	if (like->data[1] == was.data[0]) {
		ledger_give_back(like->kind, like->key, &was);
		return;
	}
	was.data[1] = like->data[1];
	was.text = like->text;
	ledger_change(&was);
}

void change_settle(const struct holding *holding, uint64_t now, const char *text)
{
	if (now == holding->data[1] && now != holding->data[0])
		ledger_left(holding, 0, text, NULL);
	else
		ledger_was_gone(holding);
}
