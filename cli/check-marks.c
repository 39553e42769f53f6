/* SPDX-License-Identifier: MIT */
/* What the file's flags, segments and sections say. */
#include "cli/check.h"
#include "elf/memory.h"

#include <string.h>

static bool section_exists(const struct dynamic *dynamic, const char *wanted)
{
	Elf *elf = dynamic->image.elf;
	Elf_Scn *section = NULL;
	const char *name;
	GElf_Shdr header;
	size_t strings;

	if (elf_getshdrstrndx(elf, &strings) < 0)
		return false;
	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) &&
			(name = elf_strptr(elf, strings, header.sh_name)) &&
			strcmp(name, wanted) == 0)
			return true;
	return false;
}

static void check_flags(const struct subject *subject)
{
	uint64_t flags = subject->dynamic->flags_1;

	if (flags & DF_1_NOOPEN)
		finding_add(subject, WEIGHT_CANNOT_LOAD, "no-open",
			text_copy("it is marked not to be opened by dlopen (DF_1_NOOPEN)"),
			"link it without -z nodlopen");
	if (flags & DF_1_NODELETE)
		finding_add(subject, WEIGHT_STAYS, "no-delete",
			text_copy("it is marked never to be unloaded (DF_1_NODELETE)"),
			"link it without -z nodelete");
	if (flags & DF_1_GLOBAL)
		finding_add(subject, WEIGHT_WARNING, "global",
			text_copy("it is marked to serve all that is loaded later (DF_1_GLOBAL)"),
			"who binds its symbols keeps it loaded: link it without -z global");
}

static void check_go(const struct subject *subject)
{
	if (!section_exists(subject->dynamic, ".note.go.buildid") &&
		!section_exists(subject->dynamic, ".go.buildinfo"))
		return;
	finding_add(subject, WEIGHT_WARNING, "go", text_copy("it contains the runtime of Go"),
		"that never ends its threads: as long as they run, the file stays");
}

static void check_sanitizers(const struct subject *subject)
{
	static const char *const marks[][2] = {
		{"__asan_init", "AddressSanitizer"},
		{"__hwasan_init", "HWAddressSanitizer"},
		{"__msan_init", "MemorySanitizer"},
		{"__tsan_init", "ThreadSanitizer"},
	};
	size_t i;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (subject_refers(subject, marks[i][0]))
			finding_add(subject, WEIGHT_WARNING, "sanitizer",
				text_format("it is built with %s", marks[i][1]),
				"a host that is not built with it, or does not preload its "
				"runtime, cannot load the file");
}

void check_marks(const struct subject *subject)
{
	const struct dynamic *d = subject->dynamic;

	check_flags(subject);
	if (d->has_static_tls)
		finding_add(subject, WEIGHT_WARNING, "static-tls",
			text_copy("it uses static thread-local storage (initial-exec)"),
			"there is little of it, and dlopen fails when it is used up: compile "
			"without -ftls-model=initial-exec");
	if (d->has_text_relocations)
		finding_add(subject, WEIGHT_WARNING, "text-relocations",
			text_copy("its code is relocated (DT_TEXTREL)"),
			"hardened systems refuse to load it: compile with -fPIC");
	if (d->has_exec_stack)
		finding_add(subject, WEIGHT_WARNING, "exec-stack",
			text_copy("it wants an executable stack"),
			"glibc 2.41 and later refuse to load it: link with -z noexecstack");
	check_sanitizers(subject);
	check_go(subject);
}
