/* SPDX-License-Identifier: MIT */
/* Code is named by function, file, line and inlined calls; data by variable. */
#include "elf/demangle.h"
#include "elf/symbolizer.h"
#include "tests/unit/fixture.h"
#include "tests/unit/suite.h"

#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct loaded {
	char path[4096];
	void *handle;
	struct link_map *map;
	uint64_t code; /* return address in fixture_outer, as in the file */
};

static void load(struct loaded *loaded, const char *name)
{
	const char *dir = getenv("top_builddir");
	fixture_function *function;

	snprintf(loaded->path, sizeof(loaded->path), "%s/tests/unit/.libs/%s", dir ? dir : ".",
		name);
	loaded->handle = dlopen(loaded->path, RTLD_NOW);
	ck_assert_msg(loaded->handle != NULL, "%s", dlerror());
	dlinfo(loaded->handle, RTLD_DI_LINKMAP, &loaded->map);
	function = (fixture_function *)dlsym(loaded->handle, "fixture_outer");
	loaded->code = (uintptr_t)function() - loaded->map->l_addr;
}

static uint64_t address(const struct loaded *loaded, const char *name)
{
	return (uintptr_t)dlsym(loaded->handle, name) - loaded->map->l_addr;
}

static struct symbolizer *open_symbolizer(const char *path)
{
	struct error error;
	struct symbolizer *symbolizer = symbolizer_open(path, &error);

	ck_assert_msg(symbolizer != NULL, "%s", error.message);
	return symbolizer;
}

static void check_frame(
	const struct symbol_frame *frame, const char *function, int line, bool inlined)
{
	ck_assert_str_eq(frame->function, function);
	ck_assert_ptr_nonnull(frame->file);
	ck_assert_ptr_nonnull(strstr(frame->file, "tests/unit/fixture.c"));
	ck_assert_int_eq(frame->line, line);
	ck_assert_int_eq(frame->inlined, inlined);
}

START_TEST(names_inlined_calls)
{
	struct symbol_frame *frames;
	struct symbolizer *symbolizer;
	struct fixture_lines *lines;
	struct loaded loaded;
	size_t count;

	load(&loaded, "fixture.so");
	symbolizer = open_symbolizer(loaded.path);
	lines = dlsym(loaded.handle, "fixture_lines");
	count = symbolizer_code(symbolizer, loaded.code - 1, &frames);
	ck_assert_uint_eq(count, 3);
	check_frame(&frames[0], "fixture_inner", lines->inner, true);
	check_frame(&frames[1], "fixture_middle", lines->middle, true);
	check_frame(&frames[2], "fixture_outer", lines->outer, false);
	ck_assert(frames[2].has_offset);
	ck_assert_uint_eq(
		frames[2].function_offset, loaded.code - 1 - address(&loaded, "fixture_outer"));
	symbol_frames_free(frames, count);
	symbolizer_close(symbolizer);
	dlclose(loaded.handle);
}
END_TEST

START_TEST(names_stripped_code)
{
	struct symbol_frame *frames;
	struct symbolizer *symbolizer;
	struct loaded loaded;
	size_t count;

	load(&loaded, "fixture-stripped.so");
	symbolizer = open_symbolizer(loaded.path);
	count = symbolizer_code(symbolizer, loaded.code - 1, &frames);
	ck_assert_uint_eq(count, 1);
	ck_assert_str_eq(frames[0].function, "fixture_outer");
	ck_assert(frames[0].has_offset && !frames[0].inlined);
	ck_assert_ptr_null(frames[0].file);
	ck_assert_int_eq(frames[0].line, 0);
	symbol_frames_free(frames, count);
	symbolizer_close(symbolizer);
	dlclose(loaded.handle);
}
END_TEST

START_TEST(knows_when_it_knows_nothing)
{
	static const uint64_t nowhere[] = {0, 1, 0xffffffff, UINT64_MAX, UINT64_MAX / 2};
	struct symbol_variable variable;
	struct symbol_frame *frames;
	struct symbolizer *symbolizer;
	struct loaded loaded;
	size_t count, i;

	load(&loaded, "fixture.so");
	symbolizer = open_symbolizer(loaded.path);
	for (i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		count = symbolizer_code(symbolizer, nowhere[i], &frames);
		ck_assert_uint_eq(count, 1);
		ck_assert_ptr_null(frames[0].function);
		ck_assert(!frames[0].has_offset);
		symbol_frames_free(frames, count);
	}
	ck_assert(!symbolizer_variable(symbolizer, UINT64_MAX / 2, &variable));
	symbolizer_close(symbolizer);
	dlclose(loaded.handle);
}
END_TEST

static void check_data(struct symbolizer *symbolizer, uint64_t at, const char *wanted)
{
	struct symbol_variable variable;

	ck_assert(symbolizer_variable(symbolizer, at, &variable));
	ck_assert_str_eq(variable.name, wanted);
	symbol_variable_free(&variable);
}

START_TEST(names_variables)
{
	static const struct {
		const char *file, *first, *inner, *member;
	} cases[] = {
		{"fixture.so", "fixture_table.first", "fixture_table.numbers[3]", "fixture_table."},
		{"fixture-stripped.so", "fixture_table", "fixture_table+0x10", "fixture_table+"},
	};
	struct symbol_variable variable;
	struct symbolizer *symbolizer;
	struct loaded loaded;
	uint64_t table;
	size_t i;

	for (i = 0; i < 2; i++) {
		load(&loaded, cases[i].file);
		symbolizer = open_symbolizer(loaded.path);
		table = address(&loaded, "fixture_table");
		check_data(symbolizer, table, cases[i].first);
		check_data(symbolizer, table + 0x10, cases[i].inner);
		/* Past its end is another variable or a section, never this one. */
		if (symbolizer_variable(
			    symbolizer, table + sizeof(struct fixture_table), &variable)) {
			ck_assert(strncmp(variable.name, cases[i].member,
					  strlen(cases[i].member)) != 0);
			symbol_variable_free(&variable);
		}
		symbolizer_close(symbolizer);
		dlclose(loaded.handle);
	}
}
END_TEST

START_TEST(refuses_what_is_not_elf)
{
	struct error error;

	ck_assert_ptr_null(symbolizer_open("/nonexistent", &error));
	ck_assert_ptr_nonnull(strstr(error.message, "/nonexistent"));
	ck_assert_ptr_null(symbolizer_open("/dev/null", &error));
	ck_assert_ptr_null(symbolizer_open("/tmp", &error));
}
END_TEST

START_TEST(demangles)
{
	static const struct {
		const char *name, *readable;
	} names[] = {
		{"main", "main"},
		{"_start", "_start"},
		{"_ZN3foo3barEi", "foo::bar(int)"},
		{"_Znwm", "operator new(unsigned long)"},
		{"_ZN5alloc5alloc15exchange_malloc17h0123456789abcdefE",
			"alloc::alloc::exchange_malloc"},
		{"_Znot_a_name", "_Znot_a_name"},
	};
	void *runtime = dlopen("libstdc++.so.6", RTLD_LAZY);
	char *readable;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		readable = name_demangled(names[i].name);
		ck_assert_str_eq(readable, runtime ? names[i].readable : names[i].name);
		free(readable);
	}
	if (runtime)
		dlclose(runtime);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf-symbolizer");

	suite_test(suite, names_inlined_calls);
	suite_test(suite, names_stripped_code);
	suite_test(suite, knows_when_it_knows_nothing);
	suite_test(suite, names_variables);
	suite_test(suite, refuses_what_is_not_elf);
	suite_test(suite, demangles);
	return suite_run(suite);
}
