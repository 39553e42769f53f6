/* SPDX-License-Identifier: MIT */
#include "elf/symbolizer.h"

#include "elf/demangle.h"
#include "elf/inlined.h"
#include "elf/memory.h"
#include "elf/variable.h"

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbolizer {
	Dwfl *dwfl;
	Dwfl_Module *module;
	GElf_Addr bias; /* what libdwfl added to the file's addresses */
	struct variable_index *variables;
};

static char *debuginfo_path; /* NULL: libdwfl's own, with /usr/lib/debug */

static const Dwfl_Callbacks callbacks = {
	.find_elf = dwfl_build_id_find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.section_address = dwfl_offline_section_address,
	.debuginfo_path = &debuginfo_path,
};

static int symbolizer_load(struct symbolizer *s, const char *path, struct error *error)
{
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(error, errno, "%s: %s", path, strerror(errno));
	s->dwfl = dwfl_begin(&callbacks);
	if (s->dwfl) {
		dwfl_report_begin(s->dwfl);
		s->module = dwfl_report_elf(s->dwfl, path, path, fd, 0, true);
		dwfl_report_end(s->dwfl, NULL, NULL);
	}
	if (!s->module) {
		error_set(error, ENOEXEC, "%s: %s", path, dwfl_errmsg(-1));
		close(fd);
		return -1;
	}
	/* The descriptor is libdwfl's from here on. */
	if (!dwfl_module_getelf(s->module, &s->bias))
		return error_set(error, ENOEXEC, "%s: %s", path, dwfl_errmsg(-1));
	return 0;
}

struct symbolizer *symbolizer_open(const char *path, struct error *error)
{
	struct symbolizer *s = memory_zeroed(1, sizeof(*s));

	if (symbolizer_load(s, path, error) == 0)
		return s;
	symbolizer_close(s);
	return NULL;
}

void symbolizer_close(struct symbolizer *s)
{
	if (!s)
		return;
	variable_index_close(s->variables);
	if (s->dwfl)
		dwfl_end(s->dwfl);
	free(s);
}

bool symbolizer_has_lines(struct symbolizer *s)
{
	Dwarf_Addr bias;

	return dwfl_module_getdwarf(s->module, &bias) != NULL;
}

static void frame_line(Dwfl_Module *module, GElf_Addr address, struct symbol_frame *frame)
{
	Dwfl_Line *line = dwfl_module_getsrc(module, address);
	const char *file;

	if (!line)
		return;
	file = dwfl_lineinfo(line, NULL, &frame->line, NULL, NULL, NULL);
	if (file)
		frame->file = text_copy(file);
	else
		frame->line = 0;
}

/* Names the outermost frame, the function whose code it is, by the symbol table. */
static void frame_symbol(Dwfl_Module *module, GElf_Addr address, struct symbol_frame *frame)
{
	const char *name;
	GElf_Off offset;
	GElf_Sym symbol;

	name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
	if (!name || !*name || (symbol.st_size && offset >= symbol.st_size))
		return;
	frame->function_offset = offset;
	frame->has_offset = true;
	if (!frame->function)
		frame->function = name_demangled(name);
}

size_t symbolizer_code(struct symbolizer *s, uint64_t address, struct symbol_frame **frames)
{
	GElf_Addr at = address + s->bias;
	size_t count;

	*frames = NULL;
	count = inlined_frames(s->module, at, frames);
	if (count == 0)
		array_append(frames, &count, sizeof(**frames));
	frame_line(s->module, at, &(*frames)[0]);
	frame_symbol(s->module, at, &(*frames)[count - 1]);
	return count;
}

void symbol_frames_free(struct symbol_frame *frames, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(frames[i].function);
		free(frames[i].file);
	}
	free(frames);
}

static char *data_text(const char *name, uint64_t offset)
{
	if (!offset)
		return text_copy(name);
	return text_format("%s+0x%" PRIx64, name, offset);
}

static char *data_section(Elf *elf, uint64_t address)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;
	const char *name;

	if (!elf || elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	while ((section = elf_nextscn(elf, section))) {
		if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
			(header.sh_flags & SHF_TLS) || address < header.sh_addr ||
			address - header.sh_addr >= header.sh_size)
			continue;
		name = elf_strptr(elf, names, header.sh_name);
		return name && *name ? data_text(name, address - header.sh_addr) : NULL;
	}
	return NULL;
}

static char *data_symbol(struct symbolizer *s, uint64_t address)
{
	GElf_Off offset;
	GElf_Addr bias;
	GElf_Sym symbol;
	const char *name;
	char *readable, *text;

	name = dwfl_module_addrinfo(
		s->module, address + s->bias, &offset, &symbol, NULL, NULL, NULL);
	if (!name || !*name || offset >= symbol.st_size)
		return data_section(dwfl_module_getelf(s->module, &bias), address);
	readable = name_demangled(name);
	text = data_text(readable, offset);
	free(readable);
	return text;
}

bool symbolizer_variable(struct symbolizer *s, uint64_t address, struct symbol_variable *variable)
{
	*variable = (struct symbol_variable){0};
	if (!variable_find(&s->variables, s->module, address + s->bias, variable))
		variable->name = data_symbol(s, address);
	return variable->name != NULL;
}

void symbol_variable_free(struct symbol_variable *variable)
{
	free(variable->name);
	free(variable->file);
	*variable = (struct symbol_variable){0};
}
