/* SPDX-License-Identifier: MIT */
/* Data is named by variable, element, member and line; without debug information by symbol. */
#include "elf/symbolizer.h"
#include "tests/unit/suite.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char c_source[] =
	"typedef void (*callback)(void);\n"				  /* 1 */
	"struct entry { const char *name; callback call; };\n"		  /* 2 */
	"struct table { int count; struct entry entries[4];\n"		  /* 3 */
	"	union { long number; callback either; };\n"		  /* 4 */
	"	callback grid[2][3]; const struct entry last[]; };\n"	  /* 5 */
	"typedef const struct table table_type;\n"			  /* 6 */
	"callback handlers[8] = {0};\n"					  /* 7 */
	"struct table table = {1};\n"					  /* 8 */
	"static callback hidden;\n"					  /* 9 */
	"long number;\n"						  /* 10 */
	"struct table filled = { .last = {{0}, {0}, {0}} };\n"		  /* 11 */
	"void *where(int what)\n"					  /* 12 */
	"{\n"								  /* 13 */
	"	static callback kept[2];\n"				  /* 14 */
	"	{ static callback deep; if (what == 9) return &deep; }\n" /* 15 */
	"	switch (what) {\n"
	"	case 0: return &handlers[3];\n"
	"	case 1: return &table.entries[2].call;\n"
	"	case 2: return &table.either;\n"
	"	case 3: return &table.grid[1][2];\n"
	"	case 4: return &hidden;\n"
	"	case 5: return &kept[1];\n"
	"	case 6: return (char *)&number + 4;\n"
	"	case 7: return (void *)&filled.last[1].call;\n"
	"	case 8: return &number;\n"
	"	}\n"
	"	return 0;\n"
	"}\n";

static const char cxx_source[] = "namespace outer { namespace inner {\n" /* 1 */
				 "struct base { void *first; };\n"	 /* 2 */
				 "struct listener : base { virtual ~listener() {}\n"
				 "	static void *shared[2]; void (*call)(); };"
				 "void *listener::shared[2];\n\n"    /* 4 */
				 "listener *current;\n"		     /* 6 */
				 "listener all[3];\n"		     /* 7 */
				 "} namespace { void *secret; } }\n" /* 8 */
				 "static void *&kept() { static void *it; return it; }\n"
				 "extern \"C\" void *where(int what)\n"
				 "{\n"
				 "	using namespace outer;\n"
				 "	switch (what) {\n"
				 "	case 0: return &inner::listener::shared[1];\n"
				 "	case 1: return &inner::current;\n"
				 "	case 2: return &inner::all[2].call;\n"
				 "	case 3: return &secret;\n"
				 "	case 4: return &kept();\n"
				 "	case 5: return &inner::all[1].first;\n"
				 "	}\n"
				 "	return 0;\n"
				 "}\n";

static char folder[] = "/tmp/relib-variable-XXXXXX";
static char library[sizeof(folder) + 16];
static void *handle;
static struct symbolizer *symbolizer;
static uint64_t base;

/* False: there is no such compiler. */
static bool build(const char *language, const char *flags)
{
	bool is_c = strcmp(language, "c") == 0;
	const char *compiler = getenv(is_c ? "CC" : "CXX");
	char path[64], command[512];
	struct error error;
	struct link_map *map;
	FILE *out;

	if (!compiler || !*compiler)
		compiler = is_c ? "cc" : "c++";
	snprintf(path, sizeof(path), "%s/vars.%s", folder, language);
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	fputs(is_c ? c_source : cxx_source, out);
	fclose(out);
	snprintf(command, sizeof(command), "%s -O0 -w -shared -fPIC %s -o %s %s 2>%s/errors",
		compiler, flags, library, path, folder);
	if (system(command) != 0)
		return false;
	handle = dlopen(library, RTLD_NOW);
	ck_assert_msg(handle != NULL, "%s", dlerror());
	ck_assert_int_eq(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
	base = map->l_addr;
	symbolizer = symbolizer_open(library, &error);
	ck_assert_msg(symbolizer != NULL, "%s", error.message);
	return true;
}

static void unbuild(void)
{
	symbolizer_close(symbolizer);
	dlclose(handle);
	symbolizer = NULL;
	handle = NULL;
}

static void setup(void)
{
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(library, sizeof(library), "%s/vars.so", folder);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	ck_assert_int_eq(system(command), 0);
}

static void named(int what, const char *name, int line)
{
	void *(*where)(int) = (void *(*)(int))dlsym(handle, "where");
	struct symbol_variable variable;

	ck_assert(symbolizer_variable(symbolizer, (uintptr_t)where(what) - base, &variable));
	ck_assert_str_eq(variable.name, name);
	ck_assert_int_eq(variable.line, line);
	if (line)
		ck_assert_ptr_nonnull(strstr(variable.file, "/vars.c"));
	else
		ck_assert_ptr_null(variable.file);
	symbol_variable_free(&variable);
}

START_TEST(names_elements_and_members)
{
	static const char *const flags[] = {"-g", "-gdwarf-4", "-gdwarf-5", "-O2 -g"};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		ck_assert(build("c", flags[i]));
		named(0, "handlers[3]", 7);
		named(1, "table.entries[2].call", 8);
		named(2, "table.number", 8);
		named(3, "table.grid[1][2]", 8);
		named(4, "hidden", 9);
		named(5, "where::kept[1]", 14);
		named(6, "number+0x4", 10);
		named(7, "filled.last[1].call", 11);
		named(8, "number", 10);
		named(9, "where::deep", 15);
		unbuild();
	}
}
END_TEST

START_TEST(names_scopes_of_cxx)
{
	static const char *const flags[] = {"-g", "-gdwarf-4"};
	size_t i;

	for (i = 0; i < sizeof(flags) / sizeof(flags[0]) && build("cc", flags[i]); i++) {
		named(0, "outer::inner::listener::shared[1]", 4);
		named(1, "outer::inner::current", 6);
		named(2, "outer::inner::all[2].call", 7);
		named(3, "outer::(anonymous namespace)::secret", 8);
		named(4, "kept::it", 9);
		named(5, "outer::inner::all[1].first", 7);
		unbuild();
	}
}
END_TEST

START_TEST(names_symbols_without_debug_information)
{
	ck_assert(build("c", "-g0"));
	named(0, "handlers+0x18", 0);
	named(1, "table+0x30", 0);
	named(4, "hidden", 0);
	named(8, "number", 0);
	unbuild();
	ck_assert(build("c", "-g0 -s"));
	named(0, "handlers+0x18", 0);
	unbuild();
	if (!build("cc", "-g0"))
		return;
	named(0, "outer::inner::listener::shared+0x8", 0);
	named(1, "outer::inner::current", 0);
	unbuild();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("elf-variable");

	suite_add(suite, "names_elements_and_members", names_elements_and_members, setup, teardown);
	suite_add(suite, "names_scopes_of_cxx", names_scopes_of_cxx, setup, teardown);
	suite_add(suite, "names_symbols_without_debug_information",
		names_symbols_without_debug_information, setup, teardown);
	return suite_run(suite);
}
