/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "shim/danglings.h"
#include "shim/generation.h"
#include "shim/session.h"

static struct session_generation *generation_record(uint32_t record)
{
	return session_record(SESSION_GENERATIONS, record);
}

static bool is_alike(
	const struct session_dangling *one, const struct session_dangling *other, const char *text)
{
	const char *has = one->text ? session_record(SESSION_STRINGS, one->text) : "";

	return one->kind == other->kind && one->target == other->target &&
	       one->number == other->number && one->place == other->place &&
	       one->taken_back == other->taken_back && !strcmp(has, text ? text : "");
}

/* How many there are of the generation; *found: the one that is alike. */
static uint32_t danglings_find(const struct session_dangling *like, const char *text,
	uint32_t first, struct session_dangling **found)
{
	uint64_t end = session->table[SESSION_DANGLINGS].record_count;
	uint32_t count = 0;

	*found = NULL;
	/* those of a few others that go with it may stand between */
	for (uint32_t index = first; index && index < end; index++) {
		struct session_dangling *dangling = session_record(SESSION_DANGLINGS, index);

		if (dangling->generation != like->generation)
			continue;
		count++;
		if (is_alike(dangling, like, text))
			*found = dangling;
	}
	return count;
}

void dangling_hook(uint16_t generation, uintptr_t address, const struct session_dangling *like,
	const char *text)
{
	struct generation *of = generation_at(generation);
	struct session_dangling made = *like, *found;
	struct session_generation *record;

	if (!session || !of->record)
		return;
	made.generation = of->record;
	record = generation_record(made.generation);
	made.target = address - record->base;
	if (made.taken_back)
		record->taken_back++;
	if (danglings_find(&made, text, of->dangling, &found) >= DANGLINGS_MOST && !found) {
		record->dangling += !made.taken_back;
		return;
	}
	if (found) {
		found->count++;
		return;
	}
	record->dangling += !made.taken_back;
	made.text = text && *text ? session_string(text, strlen(text)) : 0;
	made.count = 1;
	if (!of->dangling)
		of->dangling = (uint32_t)session->table[SESSION_DANGLINGS].record_count;
	session_add(SESSION_DANGLINGS, &made);
}

void dangling_word(const struct session_dangling *dangling)
{
	generation_record(dangling->generation)->dangling++;
	session_add(SESSION_DANGLINGS, dangling);
}

void danglings_more(uint32_t generation, uint32_t count)
{
	generation_record(generation)->dangling += count;
}
