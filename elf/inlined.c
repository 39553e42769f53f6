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

/* The code that covers an address, outermost first: a function, blocks, what is inlined. */
struct chain {
	Dwarf_Die *dies;
	size_t count;
};

static bool is_code(int tag)
{
	return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
	       tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* Functions are written in these too, where dwarf_getscopes does not look: in Rust, all are. */
static bool is_container(int tag)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || tag == DW_TAG_class_type ||
	       tag == DW_TAG_structure_type || tag == DW_TAG_union_type ||
	       tag == DW_TAG_enumeration_type;
}

static bool chain_find(struct chain *chain, Dwarf_Die *parent, Dwarf_Addr address)
{
	Dwarf_Die die, *added;
	int tag;

	if (dwarf_child(parent, &die) != 0)
		return false;
	do {
		tag = dwarf_tag(&die);
		if (is_code(tag) && dwarf_haspc(&die, address) > 0) {
			added = array_append(&chain->dies, &chain->count, sizeof(*added));
			*added = die;
			chain_find(chain, &die, address);
			return true;
		}
		if (is_container(tag) && chain_find(chain, &die, address))
			return true;
	} while (dwarf_siblingof(&die, &die) == 0);
	return false;
}

size_t inlined_frames(Dwfl_Module *module, Dwarf_Addr address, struct symbol_frame **frames)
{
	Dwarf_Die *unit, *callee = NULL;
	struct chain chain = {NULL, 0};
	struct symbol_frame *frame;
	size_t count = 0, i;
	Dwarf_Addr bias;
	int tag;

	*frames = NULL;
	unit = dwfl_module_addrdie(module, address, &bias);
	if (!unit)
		return 0;
	chain_find(&chain, unit, address - bias);
	for (i = chain.count; i-- > 0;) {
		tag = dwarf_tag(&chain.dies[i]);
		if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
			continue;
		frame = array_append(frames, &count, sizeof(*frame));
		frame->function = function_name(&chain.dies[i]);
		frame->inlined = tag == DW_TAG_inlined_subroutine;
		if (callee)
			call_site(unit, callee, frame);
		callee = &chain.dies[i];
		if (tag == DW_TAG_subprogram)
			break;
	}
	/* Code that is said to be inlined into nothing: damaged debug information. */
	if (count)
		(*frames)[count - 1].inlined = false;
	free(chain.dies);
	return count;
}
