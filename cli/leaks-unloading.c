/* SPDX-License-Identifier: MIT */
#include "cli/leaks.h"

#include "elf/memory.h"

#include <stdlib.h>

bool generation_is_stuck(const struct session_generation *generation)
{
	return generation->state == SESSION_LOADED && generation->closing != SESSION_OPEN;
}

bool generation_is_left_behind(
	const struct session *session, const struct session_generation *generation)
{
	return generation->state == SESSION_LOADED && generation->closing == SESSION_OPEN &&
	       generation->opens <= generation->closes && generation->parent &&
	       session_generation(session, generation->parent)->state != SESSION_LOADED;
}

bool dangling_may_be_stale(const struct session_dangling *dangling)
{
	return dangling->kind == SESSION_DANGLING_MEMORY &&
	       (dangling->root.kind == SESSION_ROOT_STACK ||
		       dangling->root.kind == SESSION_ROOT_REGISTER);
}

bool dangling_is_in_heap(const struct session_dangling *dangling)
{
	return dangling->kind == SESSION_DANGLING_MEMORY &&
	       dangling->root.kind == SESSION_ROOT_HEAP;
}

bool leaks_is_at_fault(const struct leaks *leaks)
{
	const struct leaks_faults *faults = &leaks->faults;

	if (KINDS_HAS(leaks->kinds, KIND_MEMORY) &&
		(leaks->leaked.blocks || leaks->kept.blocks || leaks->dropped.blocks))
		return true;
	if (faults->things || (KINDS_HAS(leaks->kinds, KIND_THREAD) && faults->threads_left))
		return true;
	/* These are of no kind. */
	return leaks->kinds == KINDS_ALL &&
	       (faults->not_unloaded || faults->late_calls || faults->timeouts);
}

static void threads_list(struct leaks *leaks)
{
	const struct session *session = leaks->session;
	const struct session_thread *thread;
	uint64_t i;

	for (i = 1; i < session->count[SESSION_THREADS]; i++) {
		thread = session_thread(session, i);
		if (thread->state == SESSION_THREAD_FREE)
			continue;
		if (thread->generation)
			index_add(&leaks->generations[thread->generation].threads, i);
		if (thread->blocks && thread->blocks != thread->generation)
			index_add(&leaks->generations[thread->blocks].threads, i);
	}
}

static void danglings_list(struct leaks *leaks, bool stale)
{
	const struct session *session = leaks->session;
	const struct session_dangling *dangling;
	uint64_t i;

	for (i = 1; i < session->count[SESSION_DANGLINGS]; i++) {
		dangling = session_dangling(session, i);
		if (dangling_may_be_stale(dangling) == stale)
			index_add(&leaks->generations[dangling->generation].danglings, i);
	}
}

static void lists_fill(struct leaks *leaks)
{
	const struct session *session = leaks->session;
	const struct session_balance *balance;
	const struct session_note *note;
	uint64_t i;

	threads_list(leaks);
	danglings_list(leaks, false);
	danglings_list(leaks, true);
	for (i = 1; i < session->count[SESSION_STAYS]; i++)
		index_add(&leaks->generations[session_stay(session, i)->generation].stays, i);
	for (i = 1; i < session->count[SESSION_BALANCES]; i++)
		index_add(&leaks->generations[session_balance(session, i)->generation].balances, i);
	for (i = 1; i < session->count[SESSION_LEFTOVERS]; i++) {
		balance = session_balance(session, session_leftover(session, i)->balance);
		index_add(&leaks->generations[balance->generation].leftovers, i);
	}
	for (i = 1; i < session->count[SESSION_NOTES]; i++) {
		note = session_note(session, i);
		if (note->kind == SESSION_NOTE_LATE_CALL)
			index_add(&leaks->generations[note->generation].late_calls, i);
		else if (note->kind == SESSION_NOTE_TIMEOUT)
			index_add(&leaks->generations[note->generation].timeouts, i);
	}
}

static void faults_count_generation(struct leaks *leaks, uint32_t index)
{
	const struct session *session = leaks->session;
	const struct session_generation *generation = session_generation(session, index);
	const struct leaks_generation *told = &leaks->generations[index];
	const struct session_dangling *dangling;
	struct leaks_faults *faults = &leaks->faults;
	bool stuck = generation_is_stuck(generation);
	size_t i;

	faults->not_unloaded += stuck;
	for (i = 0; i < told->threads.count; i++)
		if (session_thread(session, told->threads.index[i])->generation == index &&
			(stuck || generation->state != SESSION_LOADED))
			faults->threads_left++;
	for (i = 0; i < told->late_calls.count; i++)
		faults->late_calls += session_note(session, told->late_calls.index[i])->count;
	/* One unload that waits has a note for each thread. */
	if (told->timeouts.count)
		faults->timeouts += session_note(session, told->timeouts.index[0])->count;
	else if (generation->how & SESSION_TIMED_OUT)
		faults->timeouts++;
	for (i = 0; i < told->danglings.count; i++) {
		dangling = session_dangling(session, told->danglings.index[i]);
		faults->dangling += !dangling->taken_back && !dangling_may_be_stale(dangling);
	}
}

void leaks_unloading_open(struct leaks *leaks)
{
	const struct index_list *list;
	size_t i, k;

	leaks->generations = memory_zeroed(
		leaks->session->count[SESSION_GENERATIONS], sizeof(*leaks->generations));
	if (leaks->session->count[SESSION_GENERATIONS])
		lists_fill(leaks);
	for (i = 0; i < leaks->module_count; i++) {
		list = &leaks->modules[i].generations;
		for (k = 0; k < list->count; k++)
			faults_count_generation(leaks, list->index[k]);
	}
}

void leaks_unloading_close(struct leaks *leaks)
{
	struct leaks_generation *told;
	uint64_t i;

	for (i = 0; i < leaks->session->count[SESSION_GENERATIONS]; i++) {
		told = &leaks->generations[i];
		free(told->threads.index);
		free(told->stays.index);
		free(told->danglings.index);
		free(told->late_calls.index);
		free(told->timeouts.index);
		free(told->balances.index);
		free(told->leftovers.index);
	}
	free(leaks->generations);
}
