/* SPDX-License-Identifier: MIT */
/* What modules acquire besides memory, in made sessions. */
#include "tests/unit/session-maker.h"

#include <stdio.h>

/* In the sample: object 1 is the host, 2 the plugin with generations 1 to 3 and both places. */
#define HOST 1
#define PLUGIN 2

/* What one generation acquired of one kind, and the one thing that is told of it. */
struct sample {
	uint32_t generation, kind, place;
	uint64_t acquired, given_back, taken_back, later, bytes;
	uint32_t state;
	uint64_t number;
	const char *text, *why;
	uint64_t root; /* a variable of the host */
};

static uint32_t sample_add(struct session_maker *maker, const struct sample *sample)
{
	struct session_balance balance = {
		.generation = sample->generation,
		.kind = sample->kind,
		.place = sample->place,
		.acquired = sample->acquired,
		.acquired_bytes = sample->acquired * sample->bytes,
		.given_back = sample->given_back,
		.given_back_bytes = sample->given_back * sample->bytes,
		.taken_back = sample->taken_back,
		.taken_back_bytes = sample->taken_back * sample->bytes,
		.later = sample->later,
		.later_bytes = sample->later * sample->bytes,
		.leftovers = sample->state != 0,
	};
	struct session_leftover leftover = {
		.state = sample->state,
		.number = sample->number,
		.bytes = sample->bytes,
	};
	uint32_t index = maker_add(maker, SESSION_BALANCES, &balance);

	if (!sample->state)
		return index;
	leftover.balance = index;
	if (sample->text)
		leftover.text = maker_string(maker, sample->text);
	if (sample->why)
		leftover.why = maker_string(maker, sample->why);
	if (sample->root)
		leftover.root = (struct session_root){
			.kind = SESSION_ROOT_GLOBAL, .object = HOST, .offset = sample->root};
	maker_add(maker, SESSION_LEFTOVERS, &leftover);
	return index;
}

void maker_sample_resources(struct session_maker *maker)
{
	static const struct sample each[] = {
		{0, SESSION_DESCRIPTOR, 1, 3, 1, 2, 0, 0, SESSION_TAKEN_BACK, 5, "/tmp/log", NULL,
			0},
		{0, SESSION_DIRECTORY, 1, 2, 2, 0, 0, 0, 0, 0, NULL, NULL, 0},
		{0, SESSION_MAPPING, 2, 1, 0, 0, 0, 4096, SESSION_KEPT, 0x7000, "/dev/zero", NULL,
			0x4010},
		{0, SESSION_TIMER, 2, 1, 0, 1, 0, 0, SESSION_TAKEN_BACK, 10, NULL, NULL, 0},
		{0, SESSION_ENVIRONMENT, 2, 1, 0, 0, 0, 0, SESSION_LEFT, 0, "SAMPLE", NULL, 0},
	};
	static const struct sample some[] = {
		{2, SESSION_CHILD, 2, 1, 0, 0, 0, 0, SESSION_LEFT, 102, "sleep 5", NULL, 0},
		{3, SESSION_CHILD, 2, 1, 0, 0, 0, 0, SESSION_LEFT, 103, "sleep 5", NULL, 0},
		{3, SESSION_STREAM, 1, 1, 0, 0, 1, 0, SESSION_GIVEN_BACK, 0x9000, "/tmp/stream",
			NULL, 0},
		{3, SESSION_MUTEX, 1, 1, 0, 0, 0, 0, SESSION_LEFT, 0x4040,
			"mutex, held by thread 99", NULL, 0x4040},
		{3, SESSION_SHM_NAME, 1, 1, 0, 0, 0, 0, SESSION_LEFT, 0, "/sample",
			"it is another file by now", 0},
	};
	struct sample sample;
	struct session_leftover socket = {
		.state = SESSION_TAKEN_BACK,
		.number = 6,
	};
	uint32_t generation;
	size_t i;

	maker_header(maker)->fds_policy = SESSION_FDS_CLOSE;
	maker_header(maker)->names_policy = SESSION_NAMES_REMOVE;
	for (generation = 1; generation <= 3; generation++) {
		for (i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
			sample = each[i];
			sample.generation = generation;
			socket.balance = sample_add(maker, &sample);
			if (sample.kind != SESSION_DESCRIPTOR)
				continue;
			socket.text = maker_string(maker, "tcp 127.0.0.1:80");
			maker_add(maker, SESSION_LEFTOVERS, &socket);
		}
	}
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		sample_add(maker, &some[i]);
}

void maker_sample_many(struct session_maker *maker, uint32_t generations)
{
	uint64_t frames[] = {0, SESSION_FRAME(HOST, 0x1111)};
	struct session_generation generation = {.object = PLUGIN, .state = SESSION_UNLOADED};
	uint32_t places[SESSION_RESOURCES], kind;
	struct sample sample = {.acquired = 1, .state = SESSION_LEFT};
	char text[32];

	for (kind = 1; kind < SESSION_RESOURCES; kind++) {
		frames[0] = SESSION_FRAME(PLUGIN, 0x10000 + 16 * kind);
		places[kind] = maker_place(maker, PLUGIN, frames, 2);
	}
	for (generation.number = 4; generation.number < 4 + generations; generation.number++) {
		sample.generation = maker_add(maker, SESSION_GENERATIONS, &generation);
		for (kind = 1; kind < SESSION_RESOURCES; kind++) {
			sample.kind = kind;
			sample.place = places[kind];
			sample.bytes = kind == SESSION_MAPPING ? 4096 : 0;
			/* half of the kinds are something else each time */
			snprintf(text, sizeof(text), "thing %u",
				kind % 2 ? kind : generation.number);
			sample.text = text;
			sample.root = kind % 3 ? 0 : 0x5000 + generation.number;
			sample_add(maker, &sample);
		}
	}
}
