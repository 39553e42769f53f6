/* SPDX-License-Identifier: MIT */
#include "elf/inlined.h"

#include "elf/demangle.h"
#include "elf/memory.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

/* The full name: of C++ and Rust functions only the linkage name has the scopes they are in. */
static char *function_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
		dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		name = dwarf_formstring(&attribute);
	if (!name || !name_is_mangled(name))
		name = dwarf_diename(die);
	return name ? name_demangled(name) : NULL;
}

/* Where @inlined is called, which is the line of the frame that follows it. */
static void call_site(Dwarf_Die *unit, Dwarf_Die *inlined, struct symbol_frame *frame)
{
	Dwarf_Attribute attribute;
	Dwarf_Files *files;
	Dwarf_Word value;
	const char *file;

	if (dwarf_getsrcfiles(unit, &files, NULL) != 0 ||
		dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &value) != 0)
		return;
	file = dwarf_filesrc(files, value, NULL, NULL);
	if (!file)
		return;
	frame->file = text_copy(file);
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &value) == 0)
		frame->line = value;
}

/*
 * dwarf_getscopes follows an inlined function to where it was written;
 * wanted is where it was inlined, so the innermost scope's parents are taken.
 */
static int scopes_at(Dwfl_Module *module, Dwarf_Addr address, Dwarf_Die *unit, Dwarf_Addr bias,
	Dwarf_Die **scopes)
{
	Dwarf_Die innermost, *found = NULL;
	Dwarf *dwarf;
	int count;

	count = dwarf_getscopes(unit, address - bias, &found);
	if (count <= 0)
		return 0;
	dwarf = dwfl_module_getdwarf(module, &bias);
	if (!dwarf || !dwarf_offdie(dwarf, dwarf_dieoffset(&found[0]), &innermost))
		innermost = found[0];
	free(found);
	return dwarf_getscopes_die(&innermost, scopes);
}

size_t inlined_frames(Dwfl_Module *module, Dwarf_Addr address, struct symbol_frame **frames)
{
	Dwarf_Die *unit, *scopes = NULL, *callee = NULL;
	struct symbol_frame *frame;
	size_t count = 0;
	Dwarf_Addr bias;
	int scope_count, i, tag;

	*frames = NULL;
	unit = dwfl_module_addrdie(module, address, &bias);
	if (!unit)
		return 0;
	scope_count = scopes_at(module, address, unit, bias, &scopes);
	for (i = 0; i < scope_count; i++) {
		tag = dwarf_tag(&scopes[i]);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		frame = array_append(frames, &count, sizeof(*frame));
		frame->function = function_name(&scopes[i]);
		frame->inlined = tag == DW_TAG_inlined_subroutine;
		if (callee)
			call_site(unit, callee, frame);
		callee = &scopes[i];
		if (tag == DW_TAG_subprogram)
			break;
	}
	/* Code that is said to be inlined into nothing: damaged debug information. */
	if (count)
		(*frames)[count - 1].inlined = false;
	free(scopes);
	return count;
}
