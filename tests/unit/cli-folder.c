/* SPDX-License-Identifier: MIT */
/* Folders of sessions: found, searched, and cleaned without touching what is not relib's. */
#include "cli/session-folder.h"
#include "tests/unit/session-maker.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64];
static struct session_maker maker;

static void setup(void)
{
	strcpy(base, "/tmp/relib-folder-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	maker_sample(&maker, "/nonexistent/plugin.so", 0x1169, 0x1200);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
	(void)info;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	maker_end(&maker);
}

static const char *in_base(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static bool is_there(const char *name)
{
	return access(in_base(name), F_OK) == 0;
}

static void add_session(const char *name, int pid, uint64_t started)
{
	char path[256];

	maker_header(&maker)->pid = pid;
	maker_header(&maker)->started_ns = started;
	mkdir(in_base(name), 0700);
	snprintf(path, sizeof(path), "%s/%s/session", base, name);
	ck_assert_int_eq(maker_write(&maker, path), 0);
}

static void add_file(const char *name)
{
	int fd = open(in_base(name), O_CREAT | O_WRONLY, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
}

START_TEST(lists_the_newest_first)
{
	struct session_list list;

	add_session("a.1", 1, 10);
	add_session("b.2", 2, 30);
	add_session("c.3", 3, 20);
	mkdir(in_base("notes"), 0700);
	add_file("file");
	session_list_read(base, &list);
	ck_assert_uint_eq(list.count, 3);
	ck_assert(list.complete);
	ck_assert_str_eq(list.entry[0].name, "b.2");
	ck_assert_str_eq(list.entry[2].name, "a.1");
	session_list_free(&list);
}
END_TEST

START_TEST(finds_by_every_name)
{
	struct error error;
	char *path;

	add_session("a.1", 1, 10);
	add_session("a.1.2", 1, 20);
	path = session_find(base, "1", &error);
	ck_assert_ptr_nonnull(strstr(path, "/a.1.2/session"));
	free(path);
	path = session_find(base, "a.1", &error);
	ck_assert_ptr_nonnull(strstr(path, "/a.1/session"));
	free(path);
	path = session_find(base, in_base("a.1"), &error);
	ck_assert_ptr_nonnull(strstr(path, "/a.1/session"));
	free(path);
	path = session_find(base, NULL, &error);
	ck_assert_ptr_nonnull(strstr(path, "/a.1.2/session"));
	free(path);
	ck_assert_ptr_null(session_find(base, "77777777", &error));
	ck_assert_ptr_null(session_find(base, "nothing", &error));
}
END_TEST

START_TEST(keeps_the_newest)
{
	char name[32];
	int i;

	for (i = 1; i <= 6; i++) {
		snprintf(name, sizeof(name), "h.%d", i);
		add_session(name, i, i);
	}
	session_base_prune(base, 4);
	ck_assert(!is_there("h.1") && !is_there("h.2"));
	ck_assert(is_there("h.3/session") && is_there("h.6/session"));
	session_base_prune(base, 4);
	ck_assert(is_there("h.3/session"));
}
END_TEST

START_TEST(leaves_what_is_not_its_own)
{
	add_session("h.1", 1, 1);
	add_file("h.1/mine");
	add_session("h.2", 2, 2);
	mkdir(in_base("precious"), 0700);
	add_file("precious/session");
	add_file("precious/data");
	mkdir(in_base("elsewhere"), 0700);
	ck_assert_int_eq(symlink("/nonexistent", in_base("link")), 0);
	session_base_prune(base, 0);
	ck_assert(is_there("h.1/mine") && !is_there("h.1/session"));
	ck_assert(!is_there("h.2"));
	ck_assert(is_there("precious/session") && is_there("precious/data"));
	ck_assert(is_there("elsewhere"));
}
END_TEST

/* This process, by the start time that the kernel tells. */
static uint64_t own_ticks(void)
{
	unsigned long long ticks = 0;
	char text[1024] = "", *p;
	FILE *in = fopen("/proc/self/stat", "r");
	int field;

	ck_assert_ptr_nonnull(fgets(text, sizeof(text), in));
	fclose(in);
	p = strrchr(text, ')');
	for (field = 2; field < 22; field++)
		p = strchr(p + 1, ' ');
	sscanf(p, "%llu", &ticks);
	return ticks;
}

START_TEST(leaves_what_runs)
{
	struct session_list list;

	maker_header(&maker)->state = SESSION_RUNNING;
	maker_header(&maker)->start_ticks = own_ticks();
	add_session("h.1", getpid(), 1);
	maker_header(&maker)->start_ticks--;
	add_session("h.2", getpid(), 2);
	session_list_read(base, &list);
	ck_assert_uint_eq(list.count, 2);
	session_list_free(&list);
	session_base_prune(base, 0);
	ck_assert(is_there("h.1/session"));
	ck_assert(!is_there("h.2"));
}
END_TEST

START_TEST(keeps_young_objects)
{
	mkdir(in_base("objects"), 0700);
	add_file("objects/abc");
	add_session("h.1", 1, 1);
	session_base_prune(base, 0);
	ck_assert(is_there("objects/abc"));
}
END_TEST

START_TEST(distrusts_default_folders_of_others)
{
	struct error error;

	ck_assert_int_eq(session_base_make(base, true, &error), 0);
	chmod(base, 0755);
	ck_assert_int_eq(session_base_make(base, true, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "open to others"));
	ck_assert_int_eq(session_base_make(base, false, &error), 0);
	ck_assert_int_eq(symlink(base, in_base("link")), 0);
	ck_assert_int_eq(session_base_make(in_base("link"), true, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "symbolic link"));
	ck_assert_int_eq(session_base_check(in_base("missing"), true, &error), 0);
	if (getuid() != 0) {
		ck_assert_int_eq(session_base_make("/", true, &error), -1);
		ck_assert_ptr_nonnull(strstr(error.message, "somebody else"));
	}
}
END_TEST

START_TEST(default_folder_is_the_users)
{
	char wanted[64], *dir;
	bool is_default;

	unsetenv("RELIB_DIR");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	dir = session_base(NULL, &is_default);
	ck_assert_str_eq(dir, "/run/user/7/relib");
	ck_assert(is_default);
	free(dir);
	unsetenv("XDG_RUNTIME_DIR");
	dir = session_base(NULL, &is_default);
	snprintf(wanted, sizeof(wanted), "/tmp/relib-%u", (unsigned int)getuid());
	ck_assert_str_eq(dir, wanted);
	free(dir);
	setenv("RELIB_DIR", "/x", 1);
	dir = session_base(NULL, &is_default);
	ck_assert_str_eq(dir, "/x");
	ck_assert(!is_default);
	free(dir);
	dir = session_base("/y", &is_default);
	ck_assert_str_eq(dir, "/y");
	free(dir);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli-folder");

	suite_add(suite, "lists_the_newest_first", lists_the_newest_first, setup, teardown);
	suite_add(suite, "finds_by_every_name", finds_by_every_name, setup, teardown);
	suite_add(suite, "keeps_the_newest", keeps_the_newest, setup, teardown);
	suite_add(suite, "leaves_what_is_not_its_own", leaves_what_is_not_its_own, setup, teardown);
	suite_add(suite, "leaves_what_runs", leaves_what_runs, setup, teardown);
	suite_add(suite, "keeps_young_objects", keeps_young_objects, setup, teardown);
	suite_add(suite, "distrusts_default_folders_of_others", distrusts_default_folders_of_others,
		setup, teardown);
	suite_add(
		suite, "default_folder_is_the_users", default_folder_is_the_users, setup, teardown);
	return suite_run(suite);
}
