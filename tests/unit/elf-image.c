/* SPDX-License-Identifier: MIT */
/* Plugin files are accepted whole and refused with a line that says why. */
#include "elf/image.h"
#include "elf/plugin-file.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *fixture_path(void)
{
	static char path[4096];
	const char *dir = getenv("top_builddir");

	snprintf(path, sizeof(path), "%s/tests/unit/.libs/fixture.so", dir ? dir : ".");
	return path;
}

static unsigned char *bytes;
static size_t size;
static char path[] = "/tmp/relib-image-XXXXXX";

static void setup(void)
{
	FILE *in = fopen(fixture_path(), "r");
	int fd;

	ck_assert_ptr_nonnull(in);
	fseek(in, 0, SEEK_END);
	size = ftell(in);
	rewind(in);
	bytes = malloc(size);
	ck_assert_uint_eq(fread(bytes, 1, size, in), size);
	fclose(in);
	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	free(bytes);
	unlink(path);
}

/* What the check says of the first @length bytes. */
static const char *refusal(size_t length)
{
	static struct error error;
	FILE *out = fopen(path, "w");

	fwrite(bytes, 1, length, out);
	fclose(out);
	if (plugin_file_check(path, &error) == 0)
		return "accepted";
	ck_assert_ptr_eq(strstr(error.message, path), error.message);
	ck_assert_ptr_null(strchr(error.message, '\n'));
	return error.message;
}

#define refused(length, words) ck_assert_ptr_nonnull(strstr(refusal(length), words))

START_TEST(accepts_whole_plugin)
{
	ck_assert_str_eq(refusal(size), "accepted");
}
END_TEST

START_TEST(refuses_missing_files)
{
	struct error error;

	ck_assert_int_eq(plugin_file_check("/nonexistent/x.so", &error), -1);
	ck_assert_str_eq(error.message, "/nonexistent/x.so: no such file");
	ck_assert_int_eq(plugin_file_check("/dev/null/x.so", &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "not a folder"));
	ck_assert_int_eq(plugin_file_check("/tmp", &error), -1);
	ck_assert_str_eq(error.message, "/tmp: is a folder, not a regular file");
	ck_assert_int_eq(plugin_file_check("/dev/null", &error), -1);
	ck_assert_str_eq(error.message, "/dev/null: is not a regular file");
}
END_TEST

START_TEST(does_not_wait_for_fifos)
{
	struct error error;

	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(plugin_file_check(path, &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "not a regular file"));
}
END_TEST

START_TEST(names_have_no_newline)
{
	struct error error;

	ck_assert_int_eq(plugin_file_check("/nonexistent/a\nb\033[1m.so", &error), -1);
	ck_assert_str_eq(error.message, "/nonexistent/a?b?[1m.so: no such file");
}
END_TEST

START_TEST(refuses_other_contents)
{
	memcpy(bytes, "#!/bin/sh\n", 10);
	refused(size, "a script");
	memcpy(bytes, "hello, you", 10);
	refused(size, "is not an ELF file");
	refused(0, "is empty");
	refused(3, "is not an ELF file");
}
END_TEST

START_TEST(refuses_other_machines)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;
	unsigned int machine = header->e_machine;

	header->e_machine = EM_S390;
	refused(size, "S/390");
	header->e_machine = machine;
	header->e_ident[EI_CLASS] = ELFCLASS32;
	refused(size, "32-bit");
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = 3 - header->e_ident[EI_DATA];
	refused(size, "byte order");
	header->e_ident[EI_DATA] = 3 - header->e_ident[EI_DATA];
	header->e_ident[EI_CLASS] = 9;
	refused(size, "");
}
END_TEST

START_TEST(refuses_other_types)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)bytes;

	header->e_type = ET_REL;
	refused(size, "object file");
	header->e_type = ET_EXEC;
	refused(size, "is a program");
	header->e_type = ET_CORE;
	refused(size, "core dump");
	header->e_type = 99;
	refused(size, "not a shared object");
}
END_TEST

START_TEST(refuses_programs)
{
	struct error error;

	/* This very program: position independent or not, it cannot be loaded. */
	ck_assert_int_eq(plugin_file_check("/proc/self/exe", &error), -1);
	ck_assert_ptr_nonnull(strstr(error.message, "is a program"));
}
END_TEST

START_TEST(refuses_all_truncations)
{
	size_t length;

	for (length = 0; length < size; length += length < 1024 ? 1 : 97)
		ck_assert_str_ne(refusal(length), "accepted");
	refused(size - 1, "truncated");
	refused(size / 2, "truncated");
	refused(20, "truncated");
}
END_TEST

START_TEST(survives_damaged_headers)
{
	size_t i;
	int bit;

	for (i = 16; i < 64 + 56 * 8 && i < size; i++) {
		for (bit = 0; bit < 8; bit += 3) {
			bytes[i] ^= 1 << bit;
			refusal(size);
			bytes[i] ^= 1 << bit;
		}
	}
}
END_TEST

START_TEST(reads_build_ids)
{
	struct build_id id;

	build_id_read(fixture_path(), &id);
	ck_assert_uint_eq(id.size, 20);
	build_id_read("/dev/null", &id);
	ck_assert_uint_eq(id.size, 0);
}
END_TEST

START_TEST(tells_interpreters)
{
	struct image image;
	struct error error;

	ck_assert_int_eq(image_open(&image, "/proc/self/exe", &error), 0);
	ck_assert_ptr_nonnull(strstr(image_interpreter(&image), "ld"));
	image_close(&image);
	ck_assert_int_eq(image_open(&image, fixture_path(), &error), 0);
	ck_assert_ptr_null(image_interpreter(&image));
	image_close(&image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf-image");

	suite_add(suite, "accepts_whole_plugin", accepts_whole_plugin, setup, teardown);
	suite_add(suite, "refuses_missing_files", refuses_missing_files, setup, teardown);
	suite_add(suite, "does_not_wait_for_fifos", does_not_wait_for_fifos, setup, teardown);
	suite_add(suite, "names_have_no_newline", names_have_no_newline, setup, teardown);
	suite_add(suite, "refuses_other_contents", refuses_other_contents, setup, teardown);
	suite_add(suite, "refuses_other_machines", refuses_other_machines, setup, teardown);
	suite_add(suite, "refuses_other_types", refuses_other_types, setup, teardown);
	suite_add(suite, "refuses_programs", refuses_programs, setup, teardown);
	suite_add(suite, "refuses_all_truncations", refuses_all_truncations, setup, teardown);
	suite_add(suite, "survives_damaged_headers", survives_damaged_headers, setup, teardown);
	suite_add(suite, "reads_build_ids", reads_build_ids, setup, teardown);
	suite_add(suite, "tells_interpreters", tells_interpreters, setup, teardown);
	return suite_run(suite);
}
