/* SPDX-License-Identifier: MIT */
#include "elf/variable.h"

#include "elf/demangle.h"
#include "elf/memory.h"
#include "elf/variable-type.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#define DEPTH_MAX 64 /* of scopes in scopes */
#define LOOK_BACK 8  /* entries that may begin before the one that has the address */

struct variable_entry {
	Dwarf_Addr start;
	uint64_t size;
	Dwarf_Off die;
};

struct variable_index {
	Dwarf *dwarf;
	Dwarf_Addr bias;
	struct variable_entry *entry; /* by start */
	size_t count;
};

/* The address of a variable that has one all the time, as globals and statics do. */
static bool variable_address(Dwarf_Die *die, Dwarf_Addr *address)
{
	Dwarf_Attribute attribute, value;
	Dwarf_Op *ops;
	size_t count;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
		dwarf_getlocation(&attribute, &ops, &count) != 0 || count < 1 || count > 2)
		return false;
	if (ops[0].atom == DW_OP_addr)
		*address = ops[0].number;
	else if ((ops[0].atom != DW_OP_addrx && ops[0].atom != DW_OP_GNU_addr_index) ||
		 dwarf_getlocation_attr(&attribute, &ops[0], &value) != 0 ||
		 dwarf_formaddr(&value, address) != 0)
		return false;
	/* Several variables that the compiler made one of. */
	if (count == 2 && ops[1].atom == DW_OP_plus_uconst)
		*address += ops[1].number;
	else if (count == 2)
		return false;
	return *address != 0;
}

static void index_add(struct variable_index *index, Dwarf_Die *die)
{
	struct variable_entry *entry;
	Dwarf_Addr address;
	Dwarf_Die type;
	uint64_t size;

	if (!variable_address(die, &address) || !type_of(die, &type) || !(size = type_size(&type)))
		return;
	entry = array_append(&index->entry, &index->count, sizeof(*entry));
	*entry = (struct variable_entry){address, size, dwarf_dieoffset(die)};
}

/* Where variables are declared: statics of functions and of their blocks, too. */
static bool is_scope(int tag)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
	case DW_TAG_subprogram:
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return true;
	default:
		return false;
	}
}

static void scope_add(struct variable_index *index, Dwarf_Die *scope, int depth)
{
	Dwarf_Die die;
	int tag;

	if (depth == DEPTH_MAX || dwarf_child(scope, &die) != 0)
		return;
	do {
		tag = dwarf_tag(&die);
		if (tag == DW_TAG_variable)
			index_add(index, &die);
		else if (is_scope(tag))
			scope_add(index, &die, depth + 1);
	} while (dwarf_siblingof(&die, &die) == 0);
}

static int entry_compare(const void *a, const void *b)
{
	const struct variable_entry *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->die < y->die ? -1 : x->die > y->die;
}

static struct variable_index *index_make(Dwfl_Module *module)
{
	struct variable_index *index = memory_zeroed(1, sizeof(*index));
	Dwarf_Off offset = 0, next;
	size_t header_size;
	Dwarf_Die unit;

	index->dwarf = dwfl_module_getdwarf(module, &index->bias);
	while (index->dwarf &&
		dwarf_nextcu(index->dwarf, offset, &next, &header_size, NULL, NULL, NULL) == 0) {
		if (dwarf_offdie(index->dwarf, offset + header_size, &unit))
			scope_add(index, &unit, 0);
		offset = next;
	}
	if (index->count)
		qsort(index->entry, index->count, sizeof(*index->entry), entry_compare);
	return index;
}

void variable_index_close(struct variable_index *index)
{
	if (!index)
		return;
	free(index->entry);
	free(index);
}

/* The elements of a flexible array are part of the symbol, though not of the type. */
static bool symbol_reaches(Dwfl_Module *module, Dwarf_Addr start, Dwarf_Addr address)
{
	GElf_Off offset;
	GElf_Sym symbol;

	return dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL) &&
	       offset == address - start && offset < symbol.st_size;
}

static const struct variable_entry *index_find(
	const struct variable_index *index, Dwfl_Module *module, Dwarf_Addr address)
{
	size_t low = 0, high = index->count, middle, i;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (index->entry[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = 0; i < LOOK_BACK && i < low; i++)
		if (address - index->entry[low - 1 - i].start < index->entry[low - 1 - i].size)
			return &index->entry[low - 1 - i];
	if (low && symbol_reaches(module, index->entry[low - 1].start + index->bias,
			   address + index->bias))
		return &index->entry[low - 1];
	return NULL;
}

/* The declaration stands where the name belongs; a definition may stand anywhere. */
static void declaration_of(Dwarf_Die *die, Dwarf_Die *declaration)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr(die, DW_AT_specification, &attribute) ||
		!dwarf_formref_die(&attribute, declaration))
		*declaration = *die;
}

/* "scope::name", as debuggers write it; a static of a C function is in that function's scope. */
static char *scoped_name(Dwarf_Die *die)
{
	const char *name = dwarf_diename(die), *scope_name;
	Dwarf_Die declaration, *scopes = NULL;
	char *text, *longer;
	int count, i, tag;

	if (!name)
		return NULL;
	text = text_copy(name);
	declaration_of(die, &declaration);
	count = dwarf_getscopes_die(&declaration, &scopes);
	for (i = 1; i < count; i++) {
		tag = dwarf_tag(&scopes[i]);
		if (!is_scope(tag) || tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
			tag == DW_TAG_catch_block)
			continue;
		scope_name = dwarf_diename(&scopes[i]);
		longer = text_format("%s::%s",
			scope_name		  ? scope_name
			: tag == DW_TAG_namespace ? "(anonymous namespace)"
						  : "(anonymous)",
			text);
		free(text);
		text = longer;
	}
	free(scopes);
	return text;
}

static char *variable_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name = NULL;

	if (dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) ||
		dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		name = dwarf_formstring(&attribute);
	if (name && name_is_mangled(name))
		return name_demangled(name);
	return scoped_name(die);
}

bool variable_find(struct variable_index **index, Dwfl_Module *module, Dwarf_Addr address,
	struct symbol_variable *variable)
{
	const struct variable_entry *entry;
	char *name, *path;
	const char *file;
	Dwarf_Die die, type;

	if (!*index)
		*index = index_make(module);
	address -= (*index)->bias;
	entry = index_find(*index, module, address);
	if (!entry || !dwarf_offdie((*index)->dwarf, entry->die, &die) || !type_of(&die, &type) ||
		!(name = variable_name(&die)))
		return false;
	path = type_path(&type, address - entry->start);
	variable->name = text_format("%s%s", name, path);
	free(path);
	free(name);
	file = dwarf_decl_file(&die);
	if (file && dwarf_decl_line(&die, &variable->line) == 0)
		variable->file = text_copy(file);
	return true;
}
