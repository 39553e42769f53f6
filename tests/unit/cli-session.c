/* SPDX-License-Identifier: MIT */
/* Session files are read exactly, and damaged ones refused in one line. */
#include "cli/session-file.h"
#include "tests/unit/session-maker.h"
#include "tests/unit/suite.h"

#include <byteswap.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct session_maker maker;
static char folder[] = "/tmp/relib-session-XXXXXX";
static char path[sizeof(folder) + 16];

static void setup(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/session", folder);
	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
}

static void teardown(void)
{
	maker_end(&maker);
	unlink(path);
	rmdir(folder);
}

static struct session *reread(struct error *error)
{
	ck_assert_int_eq(maker_write(&maker, path), 0);
	return session_open(path, error);
}

static struct session *read_good(void)
{
	struct error error;
	struct session *session = reread(&error);

	ck_assert_msg(session != NULL, "%s", error.message);
	return session;
}

static void refused(const char *words)
{
	struct error error;

	ck_assert_ptr_null(reread(&error));
	ck_assert_msg(strstr(error.message, words) != NULL, "%s", error.message);
	ck_assert_ptr_eq(strstr(error.message, path), error.message);
	ck_assert_ptr_null(strchr(error.message, '\n'));
}

START_TEST(reads_all_tables)
{
	struct session *session = read_good();

	ck_assert_uint_eq(session->count[SESSION_OBJECTS], 4);
	ck_assert_uint_eq(session->count[SESSION_GENERATIONS], 5);
	ck_assert_uint_eq(session->count[SESSION_PLACES], 3);
	ck_assert_uint_eq(session->count[SESSION_FRAMES], 5);
	ck_assert_uint_eq(session->count[SESSION_RESIDUES], 5);
	ck_assert_uint_eq(session->count[SESSION_NOTES], 3);
	ck_assert_str_eq(session_string(session, session_object(session, 2)->path),
		"/nonexistent/plugin.so");
	ck_assert_str_eq(session_string(session, 0), "");
	ck_assert_uint_eq(SESSION_FRAME_OFFSET(session_frame(session, 1)), 0x1169);
	ck_assert_int_eq(session_life(session->header), SESSION_LIFE_EXITED);
	session_close(session);
}
END_TEST

START_TEST(adds_the_deltas_of_threads)
{
	struct session_counters more = {.tid = 9};
	struct place_totals totals;
	struct session *session;

	/* Freed by another thread than the one that allocated. */
	more.entry[0] = (struct session_counter){.place = 2, .free_blocks = 1, .free_bytes = 1000};
	more.entry[1] = (struct session_counter){.place = 999999, .free_blocks = 1};
	maker_add(&maker, SESSION_COUNTERS, &more);
	more.tid = 0;
	maker_add(&maker, SESSION_COUNTERS, &more);
	session = read_good();
	session_place_totals(session, 2, &totals);
	ck_assert_uint_eq(totals.allocated.blocks, 4);
	ck_assert_uint_eq(totals.allocated.bytes, 4000);
	ck_assert_uint_eq(totals.freed.blocks, 4);
	ck_assert_uint_eq(totals.live.blocks, 0);
	ck_assert_uint_eq(totals.kept.bytes, 1000);
	session_place_totals(session, 1, &totals);
	ck_assert_uint_eq(totals.live.blocks, 0);
	ck_assert_uint_eq(totals.leaked.bytes, 192);
	session_close(session);
}
END_TEST

START_TEST(reads_tables_of_many_extents)
{
	struct session *session;
	char text[64];
	uint32_t i, last = 0, place = 0;
	uint64_t frame = SESSION_FRAME(1, 0x10);

	for (i = 0; i < 5000; i++) {
		snprintf(text, sizeof(text), "a string of which there are many %u", i);
		last = maker_string(&maker, text);
		place = maker_place(&maker, 2, &frame, 1);
	}
	session = read_good();
	ck_assert_str_eq(session_string(session, last), text);
	ck_assert_uint_eq(session_place(session, place)->object, 2);
	ck_assert_uint_eq(session_frame(session, session_place(session, place)->frame), frame);
	session_close(session);
}
END_TEST

START_TEST(refuses_other_files)
{
	struct error error;

	maker_header(&maker)->magic = bswap_64(SESSION_MAGIC);
	refused("another byte order");
	maker_header(&maker)->magic = 1;
	refused("is not a relib session");
	maker_header(&maker)->magic = SESSION_MAGIC;
	maker_header(&maker)->version = 2;
	refused("format 2");
	ck_assert_ptr_null(session_open("/nonexistent", &error));
	ck_assert_str_eq(error.message, "/nonexistent: no such session");
	ck_assert_ptr_null(session_open("/dev/null", &error));
	ck_assert_ptr_null(session_open("/tmp", &error));
}
END_TEST

START_TEST(refuses_truncated_files)
{
	size_t whole = maker.size;

	maker.size = 0;
	refused("is not a relib session");
	maker.size = 100;
	refused("truncated");
	maker.size = whole - 1;
	refused("truncated");
	maker.size = SESSION_EXTENT_SIZE;
	refused("truncated");
	maker.size = whole;
	session_close(read_good());
}
END_TEST

START_TEST(refuses_impossible_sizes)
{
	struct session_table_head *head = &maker_header(&maker)->table[SESSION_PLACES];

	head->record_count = UINT64_MAX;
	refused("table of places");
	head->record_count = 3;
	head->record_size++;
	refused("table of places");
	head->record_size--;
	head->extent_count = SESSION_TABLE_EXTENTS + 1;
	refused("table of places");
	head->extent_count = 1;
	head->extent[0] = 0;
	refused("impossible place");
	head->extent[0] = maker_header(&maker)->extent_count;
	refused("impossible place");
	head->extent[0] = maker_header(&maker)->table[SESSION_OBJECTS].extent[0];
	refused("impossible place");
	maker_header(&maker)->header_size = 8;
	refused("impossible sizes");
}
END_TEST

START_TEST(refuses_indices_out_of_range)
{
	struct session_object *object = maker_record(&maker, SESSION_OBJECTS, 1);
	struct session_place *place = maker_record(&maker, SESSION_PLACES, 1);
	struct session_residue *residue = maker_record(&maker, SESSION_RESIDUES, 4);
	struct session_generation *generation = maker_record(&maker, SESSION_GENERATIONS, 1);
	struct session_note *note = maker_record(&maker, SESSION_NOTES, 1);

#define refused_with(field, bad, words)                                                            \
	do {                                                                                       \
		__typeof__(field) saved = (field);                                                 \
		(field) = (bad);                                                                   \
		refused(words);                                                                    \
		(field) = saved;                                                                   \
	} while (0)
	refused_with(object->path, 65000, "object 1");
	refused_with(object->copy, object->path, "object 1");
	refused_with(object->build_id_size, 33, "object 1");
	refused_with(place->object, 4, "place 1");
	refused_with(place->frame, 4, "place 1");
	refused_with(place->frame_count, 65535, "place 1");
	refused_with(place->late_free_frame, SESSION_FRAME(9, 1), "place 1");
	refused_with(residue->generation, 5, "residue 4");
	refused_with(residue->place, 3, "residue 4");
	refused_with(residue->root.object, 77, "residue 4");
	refused_with(generation->object, 4, "generation 1");
	refused_with(generation->parent, 5, "generation 1");
	refused_with(note->text, 60000, "note 1");
	refused_with(note->place, 3, "note 1");
	refused_with(maker_header(&maker)->command_line, 60000, "header");
	refused_with(maker_header(&maker)->host_object, 4, "header");
	session_close(read_good());
}
END_TEST

START_TEST(refuses_damage_of_what_unloading_tells)
{
	struct session_thread *thread;
	struct session_stay *stay;
	struct session_dangling *dangling;
	struct session_note *note;

	maker_sample_unloading(&maker);
	thread = maker_record(&maker, SESSION_THREADS, 1);
	stay = maker_record(&maker, SESSION_STAYS, 2);
	dangling = maker_record(&maker, SESSION_DANGLINGS, 3);
	note = maker_record(&maker, SESSION_NOTES, 3);
	refused_with(thread->generation, 5, "thread 1");
	refused_with(thread->blocks, 5, "thread 1");
	refused_with(thread->place, 3, "thread 1");
	refused_with(thread->start, SESSION_FRAME(9, 1), "thread 1");
	refused_with(thread->stack, 0, "thread 1");
	refused_with(thread->stack, UINT32_MAX, "thread 1");
	refused_with(thread->stack_count, 65535, "thread 1");
	refused_with(stay->generation, 5, "stay 2");
	refused_with(stay->object, 4, "stay 2");
	refused_with(stay->thread, 3, "stay 2");
	refused_with(stay->text, 60000, "stay 2");
	refused_with(stay->stack_count, UINT32_MAX, "stay 2");
	refused_with(dangling->generation, 5, "dangling pointer 3");
	refused_with(dangling->place, 3, "dangling pointer 3");
	refused_with(dangling->text, 60000, "dangling pointer 3");
	refused_with(dangling->root.object, 77, "dangling pointer 3");
	refused_with(note->generation, 5, "note 3");
	refused_with(note->stack, UINT32_MAX, "note 3");
	/* What a record held before it was given up counts no more. */
	thread->place = 3;
	thread->state = SESSION_THREAD_FREE;
	session_close(read_good());
}
END_TEST

START_TEST(refuses_damage_of_balances)
{
	struct session_balance *balance;
	struct session_leftover *leftover;

	maker_sample_resources(&maker);
	balance = maker_record(&maker, SESSION_BALANCES, 2);
	leftover = maker_record(&maker, SESSION_LEFTOVERS, 3);
	refused_with(balance->generation, 5, "balance 2");
	refused_with(balance->place, 3, "balance 2");
	refused_with(leftover->balance, 60000, "leftover 3");
	refused_with(leftover->text, 60000, "leftover 3");
	refused_with(leftover->why, UINT32_MAX, "leftover 3");
	refused_with(leftover->root.object, 77, "leftover 3");
	session_close(read_good());
}
END_TEST

START_TEST(reads_what_unloading_tells)
{
	struct session *session;

	maker_sample_unloading(&maker);
	session = read_good();
	ck_assert_uint_eq(session->count[SESSION_THREADS], 3);
	ck_assert_uint_eq(session->count[SESSION_STAYS], 13);
	ck_assert_uint_eq(session->count[SESSION_DANGLINGS], 23);
	ck_assert_str_eq(session_thread(session, 1)->name, "worker");
	ck_assert_uint_eq(session_stay(session, 1)->kind, SESSION_STAY_NODELETE_FILE);
	ck_assert_uint_eq(session_dangling(session, 1)->target, 0x1500);
	session_close(session);
}
END_TEST

START_TEST(passes_over_unfilled_records)
{
	const struct session_place place = {0};
	const struct session_generation generation = {0};
	struct session *session;

	maker_add(&maker, SESSION_PLACES, &place);
	maker_add(&maker, SESSION_GENERATIONS, &generation);
	session = read_good();
	ck_assert_str_eq(session_object_path(session, 0), "");
	session_close(session);
}
END_TEST

START_TEST(tells_running_from_killed)
{
	struct session *session;

	maker_header(&maker)->state = SESSION_RUNNING;
	maker_header(&maker)->pid = getpid();
	session = read_good();
	ck_assert_int_eq(session_life(session->header), SESSION_LIFE_KILLED);
	session_close(session);
	maker_header(&maker)->pid = -1;
	session = read_good();
	ck_assert_int_eq(session_life(session->header), SESSION_LIFE_KILLED);
	session_close(session);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli-session");

	suite_add(suite, "reads_all_tables", reads_all_tables, setup, teardown);
	suite_add(suite, "adds_the_deltas_of_threads", adds_the_deltas_of_threads, setup, teardown);
	suite_add(suite, "reads_tables_of_many_extents", reads_tables_of_many_extents, setup,
		teardown);
	suite_add(suite, "refuses_other_files", refuses_other_files, setup, teardown);
	suite_add(suite, "refuses_truncated_files", refuses_truncated_files, setup, teardown);
	suite_add(suite, "refuses_impossible_sizes", refuses_impossible_sizes, setup, teardown);
	suite_add(suite, "refuses_indices_out_of_range", refuses_indices_out_of_range, setup,
		teardown);
	suite_add(suite, "refuses_damage_of_what_unloading_tells",
		refuses_damage_of_what_unloading_tells, setup, teardown);
	suite_add(suite, "refuses_damage_of_balances", refuses_damage_of_balances, setup, teardown);
	suite_add(suite, "reads_what_unloading_tells", reads_what_unloading_tells, setup, teardown);
	suite_add(suite, "passes_over_unfilled_records", passes_over_unfilled_records, setup,
		teardown);
	suite_add(suite, "tells_running_from_killed", tells_running_from_killed, setup, teardown);
	return suite_run(suite);
}
