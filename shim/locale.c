/* SPDX-License-Identifier: MIT */
/*
 * setlocale: the process has one locale of each category.  A module's change of
 * all of them is one change, of which the host may undo a part.
 *
 * A change's data[2] is the string of what was there before, its text that of
 * what the module made of it.
 */
#include <locale.h>
#include <string.h>

#include "shim/changes.h"
#include "shim/next.h"
#include "shim/session.h"
#include "shim/settle.h"
#include "shim/text.h"

#define CATEGORIES 13
#define TEXT_MOST 512u

static const char names[CATEGORIES][18] = {
	[LC_CTYPE] = "LC_CTYPE",
	[LC_NUMERIC] = "LC_NUMERIC",
	[LC_TIME] = "LC_TIME",
	[LC_COLLATE] = "LC_COLLATE",
	[LC_MONETARY] = "LC_MONETARY",
	[LC_MESSAGES] = "LC_MESSAGES",
	[LC_ALL] = "LC_ALL",
	[LC_PAPER] = "LC_PAPER",
	[LC_NAME] = "LC_NAME",
	[LC_ADDRESS] = "LC_ADDRESS",
	[LC_TELEPHONE] = "LC_TELEPHONE",
	[LC_MEASUREMENT] = "LC_MEASUREMENT",
	[LC_IDENTIFICATION] = "LC_IDENTIFICATION",
};

static void locale_changed(int category, struct origin origin, const char *before, const char *now)
{
	struct holding like = {
		.kind = SESSION_LOCALE,
		.key = (uint64_t)category,
		.data = {ledger_hash(before), ledger_hash(now)},
	};

	like.text = ledger_text(now);
	if (!change_is_known(origin, like.kind, like.key))
		like.data[2] = ledger_text(before);
	change_made(origin, &like);
}

/* The host's word on one category is not the last on those that it did not name. */
static void host_changed(int category)
{
	struct holding was;

	for (int i = 0; i < CATEGORIES; i++)
		if (i == category || category == LC_ALL)
			ledger_give_back(SESSION_LOCALE, (uint64_t)i, &was);
}

RELIB_EXPORT char *setlocale(int category, const char *locale)
{
	const struct origin origin = locale ? CALL_ORIGIN() : (struct origin){0};
	char before[TEXT_MOST], *result;
	struct text text = text_in(before, sizeof(before));

	if (!next_ready() || !next.setlocale)
		return NULL;
	if (!locale || category < 0 || category >= CATEGORIES ||
		(!origin.place && ledger_is_empty(SESSION_LOCALE)))
		return next.setlocale(category, locale);
	if (origin.place) {
		result = next.setlocale(category, NULL);
		text_add(&text, result ? result : "");
	}
	result = next.setlocale(category, locale);
	if (result && origin.place)
		locale_changed(category, origin, before, result);
	else if (result)
		host_changed(category);
	return result;
}

/* Of one category in the name of all: "C", or "LC_CTYPE=C.UTF-8;LC_NUMERIC=C;...". */
static const char *part_of(const char *all, int category, size_t *length)
{
	size_t size = strlen(names[category]);

	if (!strchr(all, ';')) {
		*length = strlen(all);
		return all;
	}
	for (; *all; all += strcspn(all, ";"), all += *all == ';') {
		if (strncmp(all, names[category], size) || all[size] != '=')
			continue;
		*length = strcspn(all + size + 1, ";");
		return all + size + 1;
	}
	*length = 0;
	return "";
}

static bool is_same(int category, const char *one, const char *other)
{
	size_t length, other_length;

	one = part_of(one, category, &length);
	other = part_of(other, category, &other_length);
	return length == other_length && !memcmp(one, other, length);
}

/* Something that the module changed is still as it left it. */
static bool is_left(int category, const char *before, const char *made, const char *now)
{
	if (category != LC_ALL)
		return !strcmp(made, now) && strcmp(before, now);
	for (int i = 0; i < CATEGORIES; i++)
		if (i != LC_ALL && is_same(i, made, now) && !is_same(i, before, now))
			return true;
	return false;
}

static void visit_left(const struct holding *holding, void *data)
{
	int category = (int)holding->key;
	const char *before = session_record(SESSION_STRINGS, (uint32_t)holding->data[2]);
	const char *made = session_record(SESSION_STRINGS, holding->text);
	const char *now = next.setlocale(category, NULL);
	char room[2 * TEXT_MOST];
	struct text text = text_in(room, sizeof(room));

	if (!now || !is_left(category, before, made, now)) {
		ledger_was_gone(holding);
		return;
	}
	text_add(&text, names[category]);
	text_add(&text, ": ");
	text_add(&text, before);
	text_add(&text, " -> ");
	text_add(&text, made);
	ledger_left(holding, 0, room, NULL);
}

void locale_settle(uint32_t generation)
{
	if (next.setlocale)
		ledger_each(SESSION_LOCALE, generation, visit_left, NULL);
}
