/* SPDX-License-Identifier: MIT */
/* The loader's tables of a file are read as the loader reads them, without its sections. */
#include "elf/closure.h"
#include "elf/dynamic.h"
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *fixture_path(void)
{
	static char path[4096];
	const char *dir = getenv("top_builddir");

	snprintf(path, sizeof(path), "%s/tests/unit/.libs/fixture.so", dir ? dir : ".");
	return path;
}

static char path[] = "/tmp/relib-dynamic-XXXXXX";

/* A copy of the fixture without a section table. */
static void setup(void)
{
	static unsigned char bytes[1 << 20];
	Elf64_Ehdr header;
	size_t size;
	FILE *file;
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	file = fopen(fixture_path(), "r");
	ck_assert_ptr_nonnull(file);
	size = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	memcpy(&header, bytes, sizeof(header));
	header.e_shoff = 0;
	header.e_shnum = header.e_shstrndx = 0;
	memcpy(bytes, &header, sizeof(header));
	file = fopen(path, "w");
	ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void teardown(void)
{
	unlink(path);
}

START_TEST(symbols_are_found_by_name)
{
	const struct dynamic_symbol *symbol;
	struct dynamic dynamic;
	struct error error;

	ck_assert_int_eq(dynamic_open(&dynamic, fixture_path(), &error), 0);
	symbol = dynamic_symbol(&dynamic, "fixture_outer");
	ck_assert_ptr_nonnull(symbol);
	ck_assert(symbol_is_exported(symbol));
	symbol = dynamic_symbol(&dynamic, "__cxa_finalize");
	ck_assert_ptr_nonnull(symbol);
	ck_assert(!symbol->defined);
	ck_assert(symbol->bound);
	ck_assert_ptr_null(dynamic_symbol(&dynamic, "fixture"));
	ck_assert_ptr_null(dynamic_symbol(&dynamic, ""));
	dynamic_close(&dynamic);
}
END_TEST

START_TEST(sections_are_not_needed)
{
	struct dynamic whole, bare;
	struct error error;
	size_t i;

	ck_assert_int_eq(dynamic_open(&whole, fixture_path(), &error), 0);
	ck_assert_int_eq(dynamic_open(&bare, path, &error), 0);
	ck_assert_uint_eq(whole.symbol_count, bare.symbol_count);
	for (i = 0; i < whole.symbol_count; i++)
		ck_assert_str_eq(whole.symbols[i].name, bare.symbols[i].name);
	ck_assert_uint_eq(whole.relocation_count, bare.relocation_count);
	ck_assert_uint_eq(whole.version_need_count, bare.version_need_count);
	dynamic_close(&bare);
	dynamic_close(&whole);
}
END_TEST

START_TEST(a_closure_has_each_library_once)
{
	const struct library_search search = {NULL, NULL, 0, NULL};
	const struct closure_object *object;
	struct closure closure;
	struct error error;

	closure_begin(&closure, &search);
	ck_assert_int_eq(closure_add_host(&closure, "/proc/self/exe", &error), 0);
	object = closure_add(&closure, fixture_path(), &error);
	ck_assert_ptr_nonnull(object);
	ck_assert(!object->by_host);
	ck_assert(closure_named(&closure, "libc.so.6")->by_host);
	/* What the host has already is not brought in again. */
	ck_assert_ptr_eq(closure.objects[closure.count - 1], object);
	ck_assert_uint_eq(closure.missing_count, 0);
	closure_add_runtime(&closure);
	ck_assert_ptr_eq(closure.objects[closure.count - 1], object);
	closure_end(&closure);
}
END_TEST

START_TEST(what_cannot_be_opened_is_an_error)
{
	struct dynamic dynamic;
	struct error error;

	ck_assert_int_eq(dynamic_open(&dynamic, "/nonexistent", &error), -1);
	ck_assert_str_eq(error.message, "/nonexistent: no such file");
	dynamic_close(&dynamic);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf-dynamic");

	suite_test(suite, symbols_are_found_by_name);
	suite_add(suite, "sections_are_not_needed", sections_are_not_needed, setup, teardown);
	suite_test(suite, a_closure_has_each_library_once);
	suite_test(suite, what_cannot_be_opened_is_an_error);
	return suite_run(suite);
}
