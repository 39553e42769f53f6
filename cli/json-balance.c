/* SPDX-License-Identifier: MIT */
/* The schema is docs/json.md; what is here changes together with it. */
#include "cli/json-balance.h"

#include "cli/json-generation.h"

struct json_object *json_amount(struct tally tally)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "count", json_number(tally.blocks));
	json_add(object, "bytes", json_number(tally.bytes));
	return object;
}

static struct json_object *json_kind(uint32_t kind)
{
	struct json_object *object = json_object_new_object();

	json_add(object, "kind", json_text(resource_kind(kind)->name));
	return object;
}

static void sum_add(struct json_object *object, const struct balance_sum *sum)
{
	json_add(object, "acquired", json_amount(sum->acquired));
	json_add(object, "given_back", json_amount(sum->given_back));
	json_add(object, "held", json_amount(sum->held));
	json_add(object, "left", json_amount(sum->left));
	json_add(object, "taken_back", json_amount(sum->taken_back));
	json_add(object, "later", json_amount(sum->later));
}

static struct json_object *json_place_id(uint32_t place)
{
	return place ? json_number(place) : NULL;
}

static struct json_object *json_balance(
	const struct leaks *leaks, const struct session_balance *balance)
{
	struct json_object *object = json_kind(resource_kind_of(balance));
	struct balance_sum sum = {0};

	balance_add(leaks, &sum, balance);
	sum_add(object, &sum);
	json_add(object, "place", json_place_id(balance->place));
	return object;
}

static struct json_object *json_leftover(
	const struct leaks *leaks, const struct session_leftover *leftover)
{
	const struct session *session = leaks->session;
	const struct session_balance *balance = session_balance(session, leftover->balance);
	struct json_object *object = json_kind(resource_kind_of(balance));

	json_add(object, "state", json_text(leftover_state_name(leftover->state)));
	json_add(object, "number", json_number(leftover->number));
	json_add(object, "bytes", json_number(leftover->bytes));
	json_add(object, "text",
		leftover->text ? json_text(session_string(session, leftover->text)) : NULL);
	json_add(object, "why",
		leftover->why ? json_text(session_string(session, leftover->why)) : NULL);
	json_add(object, "root", json_root(leaks, &leftover->root));
	json_add(object, "place", json_place_id(balance->place));
	return object;
}

struct json_object *json_balances(const struct leaks *leaks, const struct leaks_generation *told)
{
	struct json_object *array = json_object_new_array();
	const struct session_balance *balance;
	size_t i;

	for (i = 0; i < told->balances.count; i++) {
		balance = session_balance(leaks->session, told->balances.index[i]);
		if (KINDS_HAS(leaks->kinds, resource_kind_of(balance)))
			json_object_array_add(
				array, json_settled(json_balance(leaks, balance), true));
	}
	return array;
}

struct json_object *json_leftovers(const struct leaks *leaks, const struct leaks_generation *told)
{
	struct json_object *array = json_object_new_array();
	const struct session_leftover *leftover;
	const struct session_balance *balance;
	size_t i;

	for (i = 0; i < told->leftovers.count; i++) {
		leftover = session_leftover(leaks->session, told->leftovers.index[i]);
		balance = session_balance(leaks->session, leftover->balance);
		if (KINDS_HAS(leaks->kinds, resource_kind_of(balance)))
			json_object_array_add(
				array, json_settled(json_leftover(leaks, leftover), true));
	}
	return array;
}

struct json_object *json_resources(const struct leaks *leaks, const struct balance_sum sums[KINDS])
{
	struct json_object *array = json_object_new_array(), *object;
	uint32_t kind;

	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		if (!KINDS_HAS(leaks->kinds, kind) || !sums[kind].acquired.blocks)
			continue;
		object = json_kind(kind);
		sum_add(object, &sums[kind]);
		json_object_array_add(array, object);
	}
	return array;
}

struct json_object *json_growth(const struct leaks *leaks, const struct growth *growth)
{
	struct json_object *object, *array, *entry;
	const struct growth_kind *told;
	uint32_t kind;

	if (!growth->generations)
		return NULL;
	object = json_object_new_object();
	array = json_object_new_array();
	for (kind = 0; kind < KINDS; kind++) {
		told = &growth->kinds[kind];
		if (!KINDS_HAS(leaks->kinds, kind) || !told->most.blocks)
			continue;
		entry = json_kind(kind);
		json_add(entry, "least", json_amount(told->least));
		json_add(entry, "most", json_amount(told->most));
		json_add(entry, "total", json_amount(told->sum));
		json_object_array_add(array, entry);
	}
	json_add(object, "generations", json_number(growth->generations));
	json_add(object, "memory_known", json_object_new_boolean(!growth->blind));
	json_add(object, "kinds", array);
	return object;
}

struct json_object *json_left(const struct leaks *leaks)
{
	struct json_object *array = json_object_new_array(), *object;
	uint32_t kind;

	for (kind = 0; kind < SESSION_RESOURCES; kind++) {
		if (!leaks->left[kind].blocks)
			continue;
		object = json_kind(kind);
		json_add(object, "left", json_amount(leaks->left[kind]));
		json_add(object, "behind", json_amount(leaks->behind[kind]));
		json_object_array_add(array, object);
	}
	return array;
}
